// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <utility>

#include "io/byte_stream.h"

namespace hilcop {

/// Hands through another stream, at most `most` bytes a read: what works at one byte a read works at any chunking.
class SlowStream final : public ByteStream {
 public:
  SlowStream(std::unique_ptr<ByteStream> inner, std::size_t most) : inner_(std::move(inner)), most_(most) {}
  const std::string& name() const override { return inner_->name(); }
  std::string remark() const override { return inner_->remark(); }
  int fd() const override { return inner_->fd(); }
  int write_fd() const override { return inner_->write_fd(); }
  std::size_t read_some(std::span<std::byte> into) override { return inner_->read_some(into.subspan(0, std::min(most_, into.size()))); }
  std::size_t write_some(std::span<const std::byte> bytes) override {
    return inner_->write_some(bytes.subspan(0, std::min(most_, bytes.size())));
  }
  void check_present() override { inner_->check_present(); }
  void set_line(ModemLine line, bool asserted) override { inner_->set_line(line, asserted); }
  void send_break(std::chrono::milliseconds length) override { inner_->send_break(length); }
  void hold_break(bool held) override { inner_->hold_break(held); }
  std::optional<LineCounters> line_counters() override { return inner_->line_counters(); }

 private:
  std::unique_ptr<ByteStream> inner_;
  std::size_t most_;
};

}  // namespace hilcop
