// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/capture_report.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "network/analysis/connection_reader.h"
#include "network/analysis/datagrams.h"
#include "network/analysis/fragments.h"

namespace hilcop::analysis {
namespace {

class Analysis {
 public:
  Analysis(const std::vector<std::filesystem::path>& files, const CaptureReportOptions& options)
      : object_("capture " + (files.empty() ? "" : files.front().string())),
        so_far_(options.so_far),
        deadline_(options.deadline),
        reader_(files, options.so_far.has_value()),
        search_(options.canaries),
        tcp_([this](const TcpConnection& about) { return open(about); }, options.tcp) {
    report_.file = files.front().filename().string();
    for (const auto& canary : options.canaries) report_.canary_names.push_back(canary.name);
    auto& observations = report_.observations;
    observations.on_dns = [this](const DnsMessage& message) { names_.learn(message, frame_); };
    observations.on_client_hello = [this](const TlsClientHello& hello) { note(hello); };
    observations.on_server_hello = [this](const TlsServerHello& hello) {
      if (hello.seen.flow != kNoFlow && !hello.alpn.empty()) flows_.flows()[hello.seen.flow].alpn = hello.alpn;
    };
    observations.on_certificates = [this](const TlsCertificates& found) { note(found); };
  }

  CaptureReport run() {
    while (!so_far_ || report_.frames < so_far_->frames) {
      if (report_.frames % kFramesInARow == 0) look_up();
      const auto packet = reader_.next();
      if (!packet) break;
      take(*packet);
    }
    tcp_.finish();
    fragments_.finish();
    return finished();
  }

 private:
  static constexpr std::uint64_t kFramesInARow = 64;  // before it looks whether it may go on

  void look_up() const {
    wait_until(Deadline(SteadyTime()));  // returns at once, or is interrupted
    if (deadline_ && deadline_->expired())
      throw Error(ErrorKind::Timeout, object_, fmt::format("was not read to its end in time: {} frames of it were", report_.frames),
                  "give it more time, or name a shorter capture");
  }

  void take(const CapturedPacket& packet) {
    if (report_.frames++ == 0) report_.first = report_.last = packet.at;
    report_.bytes += packet.bytes.size();
    report_.first = std::min(report_.first, packet.at);
    report_.last = std::max(report_.last, packet.at);
    if (packet.bytes.size() < packet.length) ++report_.snapped_frames;
    const auto type = reader_.interfaces()[packet.interface].type;
    frame_ = parse_frame(packet, type);
    const auto& frame = frame_;
    if (frame.unread) ++unread_[static_cast<std::size_t>(*frame.unread)];
    // A fragment has no ports: its flow is that of the whole.
    const auto flow = frame.is_ip() && !frame.is_fragment ? flows_.add(frame, names_) : kNoFlow;
    const Seen seen{packet.at, flow, frame.from, frame.to, {}};
    if (!search_.idle()) search_.frame(frame, seen);
    if (frame.is_fragment)
      fragment(frame);
    else if (frame.transport == Transport::Tcp)
      tcp_.add(frame);
    else if (frame.transport == Transport::Udp || frame.transport == Transport::Icmp)
      datagram(frame, frame.payload, {frame.place_of(frame.payload)}, seen, false);
  }

  void fragment(const Frame& last) {
    if (last.unread) return;
    const auto whole = fragments_.add(last);
    if (!whole) return;
    auto frame = last;
    frame.is_fragment = false;
    frame.payload_length = 0;
    frame.earlier = whole->earlier;
    parse_transport(frame, whole->bytes, whole->bytes.size());
    if (frame.unread) ++unread_[static_cast<std::size_t>(*frame.unread)];
    const auto flow = flows_.add(frame, names_);
    const Seen seen{last.packet.at, flow, frame.from, frame.to, {}};
    if (frame.transport == Transport::None) return;
    const auto header = static_cast<std::size_t>(frame.payload.data() - whole->bytes.data());
    PlaceMap map;
    std::uint64_t at = 0;
    for (const auto& place : whole->places) map.add(std::exchange(at, at + place.size), place);
    if (frame.transport != Transport::Tcp)
      return datagram(frame, frame.payload, map.find(header, header + frame.payload.size()), seen, true);
    segments(frame, map, header);
  }

  // A segment in fragments: as several, so that each byte has its place.
  void segments(const Frame& whole, const PlaceMap& map, std::size_t header) {
    const auto places = map.find(header, header + whole.payload.size());
    if (places.size() < 2) return tcp_.add(whole, places.empty() ? Place{whole.packet.frame, whole.packet.offset, 0, 0} : places[0]);
    std::size_t at = 0;
    for (const auto& place : places) {
      auto part = whole;
      part.payload = whole.payload.subspan(at, place.size);
      part.payload_length = place.size;
      part.sequence = whole.sequence + static_cast<std::uint32_t>(at);
      if (at != 0) part.tcp_flags &= static_cast<std::uint8_t>(~kTcpSyn);
      at += place.size;
      if (at < whole.payload.size()) part.tcp_flags &= static_cast<std::uint8_t>(~kTcpFin);
      tcp_.add(part, place);
    }
  }

  void datagram(const Frame& frame, Bytes payload, std::vector<Place> places, Seen seen, bool fragmented) {
    seen.places = std::move(places);
    auto* flow = seen.flow == kNoFlow ? nullptr : &flows_.flows()[seen.flow];
    if (frame.transport == Transport::Udp) {
      const auto encrypted = read_datagram(payload, seen, flow, report_.observations);
      report_.opaque_bytes += encrypted;
      if (flow != nullptr) flow->opaque += encrypted;
    }
    if (search_.idle() || (!fragmented && !CanaryStream::has_head(payload))) return;
    CanaryStream stream(search_, {"datagram"}, [&](std::uint64_t begin, std::uint64_t end) {
      PlaceMap map;
      std::uint64_t at = 0;
      for (const auto& place : seen.places) map.add(std::exchange(at, at + place.size), place);
      auto found = seen;
      found.places = map.find(begin, end);
      return found;
    });
    for (const auto& place : seen.places) {
      stream.add(payload.first(std::min<std::size_t>(place.size, payload.size())), true);
      payload = payload.subspan(std::min<std::size_t>(place.size, payload.size()));
    }
  }

  std::unique_ptr<StreamSink> open(const TcpConnection& about) {
    const auto flow = flows_.find({about.client, about.server, 6});
    return std::make_unique<ConnectionReader>(about, flow, report_, flows_.flows(), search_);
  }

  void note(const TlsClientHello& hello) {
    if (hello.seen.flow == kNoFlow) return;
    auto& flow = flows_.flows()[hello.seen.flow];
    if (!hello.sni.empty()) flow.sni = hello.sni;
    if (flow.alpn.empty()) flow.alpn = fmt::format("{}", fmt::join(hello.alpn, ","));
  }

  void note(const TlsCertificates& found) {
    if (found.seen.flow == kNoFlow || found.seen.from != flows_.flows()[found.seen.flow].server) return;
    auto& flow = flows_.flows()[found.seen.flow];
    flow.certificate = found.chain[0].subject;
    flow.certificate_names = found.chain[0].names;
  }

  CaptureReport finished() {
    report_.interfaces = reader_.interfaces();
    report_.counts = reader_.counts();
    // Those of the file stand at its end, which is not written yet; of several interfaces nobody can say which has lost what.
    if (so_far_ && report_.counts.size() == 1 && !report_.counts[0])
      report_.counts[0] = CaptureCounts{so_far_->frames + so_far_->dropped, so_far_->dropped};
    report_.files = reader_.files();
    report_.damage = reader_.damage();
    report_.unknown_blocks = reader_.unknown_blocks();
    for (std::size_t i = 0; i < unread_.size(); ++i)
      if (const auto count = unread_[i] + fragments_.count(static_cast<Unread>(i)); count != 0)
        report_.unread[std::string(name_of(static_cast<Unread>(i)))] += count;
    report_.destinations = flows_.destinations();
    report_.flows = std::move(flows_.flows());
    report_.frames_without_flow = flows_.not_kept();
    report_.names_not_kept = names_.not_kept();
    report_.tcp = tcp_.counts();
    report_.canaries = search_.findings();
    report_.canaries_not_kept = search_.not_kept();
    limits();
    auto& observations = report_.observations;
    observations.on_dns = nullptr, observations.on_client_hello = nullptr;
    observations.on_server_hello = nullptr, observations.on_certificates = nullptr;
    return std::move(report_);
  }

  void limits() {
    const auto say = [this](std::uint64_t count, const char* what) {
      if (count != 0) report_.limits.push_back(fmt::format("{} {}", count, what));
    };
    for (const auto& line : report_.damage) report_.limits.push_back("the file is damaged: " + line);
    for (const auto& line : reader_.missing()) report_.limits.push_back(line);
    for (std::size_t i = 0; i < report_.counts.size(); ++i) {
      const auto& name = report_.interfaces[i].name;
      if (!report_.counts[i])
        report_.limits.push_back(fmt::format("how many packets the capture lost on '{}' is not known", ascii_of(name)));
      else if (report_.counts[i]->dropped != 0)
        report_.limits.push_back(fmt::format("{} packets were lost by the capture on '{}'", report_.counts[i]->dropped, ascii_of(name)));
    }
    if (so_far_) say(so_far_->frames - report_.frames, "frames were recorded and are not in the file");
    say(report_.frames == 0 ? 1 : 0, "capture without a single frame");
    say(report_.snapped_frames, "frames are not whole: the capture cut them");
    say(report_.unknown_blocks, "blocks of the file are of unknown kinds");
    for (const auto why : {Unread::LinkType, Unread::FragmentMalformed, Unread::FragmentsConflict, Unread::FragmentsIncomplete,
                           Unread::FragmentsTooMany, Unread::VlanDepth})
      if (const auto found = report_.unread.find(std::string(name_of(why))); found != report_.unread.end())
        report_.limits.push_back(fmt::format("{} frames: {}", found->second, found->first));
    if (report_.tcp.gaps != 0)
      report_.limits.push_back(fmt::format("{} bytes are missing in {} gaps of TCP streams", report_.tcp.gap_bytes, report_.tcp.gaps));
    say(report_.tcp.picked_up, "TCP connections had begun before the capture");
    say(report_.tcp.forgotten, "TCP connections were given up: more were open at a time than are followed");
    say(report_.tcp.conflicts, "TCP segments said something else for bytes that were there already");
    say(report_.tcp.not_compared_bytes, "bytes were sent again after what they repeat was no longer kept");
    say(report_.frames_without_flow, "frames are of more flows than are kept: there are destinations that are not told");
    for (const auto& [why, count] : search_.limits()) report_.limits.push_back(fmt::format("{} times: {}", count, why));
  }

  std::string object_;
  std::optional<WrittenSoFar> so_far_;
  std::optional<Deadline> deadline_;
  CaptureSequence reader_;
  CaptureReport report_;
  CanarySearch search_;
  NameTable names_;
  Frame frame_;  // the last that was read
  FlowTable flows_;
  Fragments fragments_;
  std::array<std::uint64_t, static_cast<std::size_t>(Unread::Count)> unread_{};
  TcpStreams tcp_;  // last: what it has opened uses the rest
};

}  // namespace

CaptureReport analyse_capture(const std::filesystem::path& file, const CaptureReportOptions& options) {
  return Analysis({file}, options).run();
}

CaptureReport analyse_capture(const std::vector<std::filesystem::path>& files, const CaptureReportOptions& options) {
  return Analysis(files, options).run();
}

}  // namespace hilcop::analysis
