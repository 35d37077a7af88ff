// SPDX-License-Identifier: Apache-2.0
#include "capture/usb_monitor.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "io/device_tree.h"

namespace hilcop {

namespace {

// The kernel has no header for these: Documentation/usb/usbmon.rst, drivers/usb/mon/mon_bin.c.
struct UsbStats {
  std::uint32_t queued, dropped;  // dropped: since it was asked last
};
struct UsbFetch {
  std::uint32_t* offsets;
  std::uint32_t fetch, flush;
};
constexpr std::int64_t kLatest = std::int64_t{1} << 33;  // seconds: the year 2242, and no overflow as nanoseconds
constexpr unsigned kIoctlType = 0x92;
constexpr unsigned long kGetStats = _IOR(kIoctlType, 3, UsbStats), kSetRingSize = _IO(kIoctlType, 4), kGetRingSize = _IO(kIoctlType, 5),
                        kFetchEvents = _IOWR(kIoctlType, 7, UsbFetch), kFlushEvents = _IO(kIoctlType, 8);

// What stands in the ring and, as it is, in front of a packet of LINKTYPE_USB_LINUX_MMAPPED.
struct UsbEvent {
  std::uint64_t id;
  char type;  // 'S'ubmission, 'C'ompletion, 'E'rror of a submission, '@': the rest of the ring's end
  std::uint8_t transfer, endpoint, device;
  std::uint16_t bus;
  char setup_is, data_is;  // 0: there; else why not
  std::int64_t seconds;
  std::int32_t microseconds, status;
  std::uint32_t length, kept;  // kept: of what follows, the descriptors of isochronous frames too
  std::byte setup[8];
  std::int32_t interval, start_frame;
  std::uint32_t flags, descriptors;
};
static_assert(sizeof(UsbEvent) == 64);
constexpr std::uint32_t kIsoDescriptor = 16;

constexpr std::size_t kUsbRing = std::size_t{1200} * 1024;  // the most it gives
constexpr std::uint32_t kMostEvents = 256;

}  // namespace

UsbMonitor::UsbMonitor(Wanted wanted, const std::string& object, const std::filesystem::path& dev) : wanted_(std::move(wanted)) {
  const auto node = dev / name_;
  fd_.reset(::open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd_ && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
    throw Error(ErrorKind::Unsupported, object, "its traffic cannot be recorded: this kernel has no usbmon (" + node.string() + ")",
                "run `sudo modprobe usbmon` (`usbmon` in a file of /etc/modules-load.d loads it at each start); a container must be given "
                "the node");
  if (!fd_ && (errno == EACCES || errno == EPERM))
    throw Error(
        ErrorKind::PermissionDenied, object, "its traffic cannot be recorded: " + look_at_node(node).problem,
        "be root, or have a udev rule give it to a group whose members may see what every device of this host says, its keyboard too: "
        "lab-config/udev/60-hilcop.rules has one to copy");
  if (!fd_) throw error_from_errno(errno, object, "cannot open " + node.string());
  if (::ioctl(fd_.get(), kSetRingSize, kUsbRing) != 0) throw error_from_errno(errno, object, "cannot have a buffer of usbmon");
  const int size = ::ioctl(fd_.get(), kGetRingSize);
  if (size <= 0) throw error_from_errno(errno, object, "cannot ask for the buffer of usbmon");
  size_ = static_cast<std::size_t>(size);
  void* const mapped = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd_.get(), 0);
  if (mapped == MAP_FAILED) throw error_from_errno(errno, object, "cannot read the buffer of usbmon");
  ring_ = static_cast<const std::byte*>(mapped);
}

UsbMonitor::~UsbMonitor() { ::munmap(const_cast<std::byte*>(ring_), size_); }

std::optional<UsbmonEvent> usbmon_event(std::span<const std::byte> ring) {
  UsbEvent event;
  if (ring.size() < sizeof event) return std::nullopt;
  std::memcpy(&event, ring.data(), sizeof event);
  if (event.type == '@') return std::nullopt;
  const auto kept = std::min<std::size_t>(event.kept, ring.size() - sizeof event);
  // A request for data has none yet ('<'), its answer none any more ('>'), though both say how much it is about, as one that failed ('E')
  // does; any other letter stands for data that the kernel could not look at ('D': handed to the controller in pieces, 'Z': no address).
  const bool none = event.data_is != 0 && std::string_view("<>E").find(event.data_is) != std::string_view::npos;
  const std::size_t length = none ? event.kept : std::size_t{event.descriptors} * kIsoDescriptor + event.length;
  const bool stamped = event.seconds >= 0 && event.seconds <= kLatest && event.microseconds >= 0 && event.microseconds < 1'000'000;
  const auto at = stamped ? UtcTime(std::chrono::seconds(event.seconds) + std::chrono::microseconds(event.microseconds)) : UtcTime{};
  const auto on_wire = static_cast<std::uint32_t>(std::min<std::size_t>(sizeof event + std::max(length, kept), UINT32_MAX));
  return UsbmonEvent{event.bus, event.device, {at, ring.first(sizeof event + kept), on_wire, {}}};
}

bool UsbMonitor::take_block(const Take& take) {
  std::array<std::uint32_t, kMostEvents> offsets;
  UsbFetch fetch{offsets.data(), kMostEvents, 0};
  if (::ioctl(fd_.get(), kFetchEvents, &fetch) != 0 || fetch.fetch == 0) return false;
  for (std::uint32_t i = 0; i < fetch.fetch; ++i) {
    const auto event = usbmon_event(std::span(ring_, size_).subspan(std::min<std::size_t>(offsets[i], size_)));
    if (event && wanted_(event->bus, event->device)) take(event->packet.bytes, event->packet.length, event->packet.at);
  }
  ::ioctl(fd_.get(), kFlushEvents, static_cast<unsigned long>(fetch.fetch));
  fetched_ += fetch.fetch;
  return true;
}

UsbMonitor::Counts UsbMonitor::counts() {
  UsbStats stats{};
  if (::ioctl(fd_.get(), kGetStats, &stats) == 0) dropped_ += stats.dropped;
  return {fetched_ + stats.queued + dropped_, dropped_};
}

}  // namespace hilcop
