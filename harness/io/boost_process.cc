// SPDX-License-Identifier: Apache-2.0
// The one file that compiles Boost.Process v2 (BOOST_PROCESS_V2_SEPARATE_COMPILATION): header-only it does not link in 1.81.
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <boost/process/v2/src.hpp>
