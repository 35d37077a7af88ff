// SPDX-License-Identifier: Apache-2.0
// What a C library made is given back where its owner ends.
#pragma once

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>

namespace ht1 {

struct FreeOpenssl {
  void operator()(EVP_CIPHER_CTX* x) const { EVP_CIPHER_CTX_free(x); }
  void operator()(EVP_MD_CTX* x) const { EVP_MD_CTX_free(x); }
  void operator()(EVP_PKEY_CTX* x) const { EVP_PKEY_CTX_free(x); }
  void operator()(EVP_PKEY* x) const { EVP_PKEY_free(x); }
  void operator()(BIO* x) const { BIO_free(x); }
  void operator()(X509* x) const { X509_free(x); }
  void operator()(X509_EXTENSION* x) const { X509_EXTENSION_free(x); }
  void operator()(SSL_CTX* x) const { SSL_CTX_free(x); }
  void operator()(SSL* x) const { SSL_free(x); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeOpenssl>;

struct FreeCurl {
  void operator()(CURL* x) const { curl_easy_cleanup(x); }
};
struct FreeCurlList {
  void operator()(curl_slist* x) const { curl_slist_free_all(x); }
};
using OwnedCurl = std::unique_ptr<CURL, FreeCurl>;
using OwnedCurlList = std::unique_ptr<curl_slist, FreeCurlList>;

}  // namespace ht1
