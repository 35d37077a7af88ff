// SPDX-License-Identifier: Apache-2.0
// thermostatd: exit status 0 when told to end, 64 when the device has to start anew (update, factory reset), 1 when it cannot work.
#include <curl/curl.h>
#include <mosquitto.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "app.h"

namespace {

constexpr int kExitReboot = 64;

int run(const std::vector<std::string>& words) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // for every thread: one waits for them
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // whoever started this may have ignored it: then nobody learns how a child ended
  ht1::App app(ht1::parse_options(words));
  app.start();
  std::thread([&app, ends] {
    int signal = 0;
    ::sigwait(&ends, &signal);
    app.stop();
    ::sigwait(&ends, &signal);  // told twice: at once
    ::_exit(1);
  }).detach();
  return app.wait() == ht1::App::End::Reboot ? kExitReboot : 0;
}

}  // namespace

int main(int argc, char** argv) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  mosquitto_lib_init();
  int status = 1;
  try {
    status = run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "HT-1: %s\n", e.what());
  }
  mosquitto_lib_cleanup();
  return status;
}
