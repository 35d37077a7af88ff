// SPDX-License-Identifier: Apache-2.0
#include "io/byte_stream.h"

#include "base/error.h"

namespace hilcop {

void ByteStream::hold_break(bool) {
  throw Error(ErrorKind::Unsupported, name(), "cannot hold TX low", "leave `tx_low` out, or use a serial adapter that can");
}

}  // namespace hilcop
