// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "network/analysis/canaries.h"
#include "network/analysis/capture_report.h"
#include "network/analysis/place_map.h"
#include "network/analysis/tcp_streams.h"

namespace hilcop::analysis {

/// One TCP connection on its way into a report: recognises what it speaks, has that read, and searches it for canaries. `report`, `search`
/// and `flows` live longer.
class ConnectionReader final : public StreamSink, public StreamContext {
 public:
  ConnectionReader(const TcpConnection& about, std::uint32_t flow, CaptureReport& report, std::vector<Flow>& flows, CanarySearch& search);

  void data(Side side, const StreamPiece& piece) override;
  void gap(Side side, std::uint64_t offset, std::uint64_t bytes, GapReason reason) override;
  void conflict(Side side, std::uint64_t offset, const Place& later) override;
  void end() override;

  Seen seen(Side side, std::uint64_t begin, std::uint64_t end) const override;
  Observations& observations() override { return report_.observations; }
  void body(Side side, Bytes bytes, std::uint64_t offset, bool begins, bool deflated) override;
  void opaque(std::uint64_t bytes) override;
  void unsearched(const char* why) override { search_.limit(why); }

 private:
  struct Body {
    PlaceMap map;
    std::uint64_t size = 0;
    std::unique_ptr<CanaryStream> canaries;
  };
  struct Half {
    PlaceMap map;
    UtcTime at;
    std::unique_ptr<CanaryStream> canaries;
    std::string first;  // to recognise it by
    std::unique_ptr<Body> body;
  };
  struct Held {
    Side side;
    std::uint64_t offset;
    std::string bytes;
  };
  void recognise(Side side, Bytes bytes, std::uint64_t offset);
  void dissect(std::string_view application, bool by_content = false);
  void pass(Side side, Bytes bytes, std::uint64_t offset);
  Seen ends(Side side) const;

  TcpConnection about_;
  std::uint32_t flow_;
  CaptureReport& report_;
  std::vector<Flow>& flows_;
  CanarySearch& search_;
  Half halves_[2];
  bool decided_ = false, all_opaque_ = false;
  std::vector<Held> held_;
  std::unique_ptr<StreamDissector> dissector_;
};

}  // namespace hilcop::analysis
