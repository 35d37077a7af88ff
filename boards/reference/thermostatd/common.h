// SPDX-License-Identifier: Apache-2.0
// Compiled once by cross.sh and put before every file: what costs the most to read. Nothing needs it to be correct.
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>
