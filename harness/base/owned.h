// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

namespace hilcop {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// An object of a C library that is given back by one function: Owned<X509, X509_free>.
template <typename T, auto Free>
using Owned = std::unique_ptr<T, FreeWith<Free>>;

}  // namespace hilcop
