// SPDX-License-Identifier: Apache-2.0
#include "io/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/start_dir.hpp>

#include "base/error.h"
#include "base/interrupt.h"
#include "io/captured_output.h"

namespace bp = boost::process::v2;

namespace hilcop {
namespace {

// Runs in the child, between fork and exec, where only async-signal-safe calls are allowed (other threads may have held any
// lock). So it execs by itself: Boost 1.81 would list /proc/self/fd with malloc before its own exec, and exit() after a failed one.
struct ChildSetup {
  const ProcessOptions* options;
  pid_t parent;
  int output;
  const char* directory;

  bp::error_code on_exec_setup(bp::posix::default_launcher& launcher, const bp::filesystem::path& program,
                               const char* const*(&arguments)) const {
    if (options->own_terminal)
      ::setsid();
    else
      ::setpgid(0, 0);
    if (options->die_with_parent) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(127);  // it died before the prctl
    }
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number = 1; number < 32; ++number) ::signal(number, SIG_DFL);
    if (directory != nullptr && ::chdir(directory) != 0) return failure();
    if (!pass_descriptors()) return failure();
    // Who asks for a password asks /dev/tty: it must not be the terminal of whoever runs hilcop.
    if (options->own_terminal && ::syscall(SYS_ioctl, 0, TIOCSCTTY, 0) != 0) return failure();
    ::execve(program.c_str(), const_cast<char* const*>(arguments), const_cast<char* const*>(launcher.env));
    return failure();
  }
  template <typename... Rest>
  void on_exec_error(Rest&&...) const {
    ::_exit(127);
  }

 private:
  static bp::error_code failure() { return {errno, boost::system::system_category()}; }

  // First out of the way, so that a target number never overwrites a source that is still needed. All others are made
  // close-on-exec, not closed: the launcher reports a failed exec through one of them.
  bool pass_descriptors() const {
    std::array<int, 16> parked{};
    const auto& wanted = options->pass_descriptors;
    for (std::size_t i = 0; i < wanted.size(); ++i) parked[i] = ::fcntl(wanted[i].first, F_DUPFD_CLOEXEC, 200);
    constexpr unsigned close_on_exec = 1u << 2;  // CLOSE_RANGE_CLOEXEC
    ::syscall(SYS_close_range, 3u, ~0u, close_on_exec);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (::dup2(parked[i], wanted[i].second) < 0) return false;
    return true;
  }
};

std::string object_of(const ProcessOptions& options) { return "program '" + options.program.string() + "'"; }

Error start_error(int number, const ProcessOptions& options) {
  if (number == ENOENT)
    return {ErrorKind::NotFound, object_of(options), "is not installed, or its directory is missing",
            "./dev setup installs what hilcop needs"};
  return error_from_errno(number, object_of(options), "start");
}

std::vector<std::string> environment_of(const ProcessOptions& options) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (const std::string text(*entry); !options.environment.contains(text.substr(0, text.find('=')))) all.push_back(text);
  for (const auto& [name, value] : options.environment) all.push_back(name + "=" + value);
  return all;
}

class RealChild final : public ChildProcess {
 public:
  explicit RealChild(ProcessOptions options) : options_(std::move(options)) {
    if (options_.pass_descriptors.size() > 16) throw Error(ErrorKind::Config, object_of(options_), "more than 16 descriptors to pass");
    bp::filesystem::path program = options_.program.string();
    if (!options_.program.has_parent_path()) program = bp::environment::find_executable(options_.program.string());
    if (program.empty()) throw start_error(ENOENT, options_);
    const auto environment = environment_of(options_);
    bp::process_environment initial(environment);
    UniqueFd file;
    if (options_.capture_output)
      captured_ = std::make_unique<CapturedOutput>(object_of(options_));
    else
      file = open_output_file();
    const int output = captured_ ? captured_->write_end() : file.get();
    const ChildSetup setup{&options_, ::getpid(), output, options_.directory.empty() ? nullptr : options_.directory.c_str()};
    boost::asio::io_context context;
    bp::error_code failed;
    bp::posix::default_launcher launcher;
    auto process = launcher(context.get_executor(), failed, program, options_.arguments, initial, setup);
    if (failed) throw start_error(failed.value(), options_);
    if (captured_) captured_->close_write_end();
    pid_ = process.id();
    process.detach();  // waiting is ours: by pidfd, with a deadline
    pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_) {
      const int why = errno;
      kill_and_reap();  // no destructor of what was never made does
      throw error_from_errno(why, "process " + std::to_string(pid_), "open a pidfd");
    }
  }

  ~RealChild() override { kill_and_reap(); }

  pid_t pid() const override { return pid_; }
  int pidfd() const override { return pidfd_.get(); }
  bool running() override { return !reap(WNOHANG); }

  std::optional<ExitStatus> wait(Deadline deadline) override {
    if (!reap(WNOHANG) && !wait_ready(pidfd_.get(), POLLIN, deadline)) return std::nullopt;
    reap(0);
    return status_;
  }

  void signal_group(int signal) override {
    const std::scoped_lock lock(mutex_);
    if (!status_) ::kill(-pid_, signal);
  }

  ExitStatus kill() override { return kill_and_reap(); }

  std::string output() const override { return captured_ ? captured_->last() : ""; }

 private:
  UniqueFd open_output_file() const {
    const char* path = options_.output_file.empty() ? "/dev/null" : options_.output_file.c_str();
    UniqueFd file(::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file) throw error_from_errno(errno, object_of(options_), std::string("open ") + path + " for its output");
    return file;
  }

  ExitStatus kill_and_reap() {
    {
      // The whole group, before the leader is reaped: until then its number is ours.
      const std::scoped_lock lock(mutex_);
      if (!status_) ::kill(-pid_, SIGKILL);
    }
    reap(0);
    return *status_;
  }

  bool reap(int flags) {
    const std::scoped_lock lock(mutex_);
    if (status_) return true;
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | flags) == 0 && info.si_pid == 0) return false;
    if (options_.kill_descendants) ::kill(-pid_, SIGKILL);  // what it left behind in its group
    int raw = 0;
    pid_t done = 0;
    while ((done = ::waitpid(pid_, &raw, 0)) < 0 && errno == EINTR) {
    }
    status_ = ExitStatus{};
    if (done > 0 && WIFSIGNALED(raw)) status_->signal = WTERMSIG(raw);
    if (done > 0 && WIFEXITED(raw)) status_->code = WEXITSTATUS(raw);
    return true;
  }

  ProcessOptions options_;
  std::unique_ptr<CapturedOutput> captured_;
  UniqueFd pidfd_;
  pid_t pid_ = -1;
  std::mutex mutex_;
  std::optional<ExitStatus> status_;
};

}  // namespace

std::string ExitStatus::text() const {
  if (signal) return std::string("killed by SIG") + sigabbrev_np(*signal);
  return code ? "exit status " + std::to_string(*code) : "ended";
}

std::unique_ptr<ChildProcess> ChildProcess::start(ProcessOptions options) { return std::make_unique<RealChild>(std::move(options)); }

ProcessResult run_process(ProcessOptions options, Deadline deadline) {
  if (options.output_file.empty()) options.capture_output = true;
  const std::string object = object_of(options);
  auto child = ChildProcess::start(std::move(options));
  const auto status = child->wait(deadline);
  if (!status) {
    child->kill();
    throw Error(ErrorKind::Timeout, object, "did not end in time and was killed", "", {"its last output: " + child->output()});
  }
  return {*status, child->output()};
}

}  // namespace hilcop
