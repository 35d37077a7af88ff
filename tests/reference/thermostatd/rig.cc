// SPDX-License-Identifier: Apache-2.0
#include "reference/thermostatd/rig.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

#include "thermostatd/crypto.h"
#include "thermostatd/files.h"
#include "thermostatd/owned.h"

namespace ht1 {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Owned<EVP_PKEY> key_of(const std::string& pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Owned<EVP_PKEY>(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

void extend(X509* certificate, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> made(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  if (!made || X509_add_ext(certificate, made.get(), -1) != 1) throw std::runtime_error("cannot make an extension");
}

}  // namespace

Certificate make_certificate(const std::string& name, const Certificate* by, int days) {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owned<X509> made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), by == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600L * 24 * 60);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600L * 24 * days);
  X509_set_pubkey(made.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  Owned<EVP_PKEY> signer;
  if (by == nullptr) {
    X509_set_issuer_name(made.get(), subject);
    extend(made.get(), NID_basic_constraints, "critical,CA:TRUE");
  } else {
    const Owned<BIO> pem(BIO_new_mem_buf(by->certificate.data(), static_cast<int>(by->certificate.size())));
    const Owned<X509> issuer(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get()));
    signer = key_of(by->key);
    extend(made.get(), NID_subject_alt_name, "DNS:" + name);
  }
  if (X509_sign(made.get(), signer ? signer.get() : key.get(), EVP_sha256()) == 0) throw std::runtime_error("cannot sign");
  const Owned<BIO> key_pem(BIO_new(BIO_s_mem())), certificate_pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_X509(certificate_pem.get(), made.get());
  return {text_of(key_pem.get()), text_of(certificate_pem.get())};
}

std::string public_key_of(const std::string& private_key) {
  const auto key = key_of(private_key);
  const Owned<BIO> pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(pem.get(), key.get());
  return text_of(pem.get());
}

std::string base64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string sign(const std::string& private_key, const std::string& text) {
  const auto key = key_of(private_key);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size());
  std::string signature(size, '\0');
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, text.size());
  signature.resize(size);
  return signature;
}

UnitFolder::UnitFolder(const std::set<std::string>& flaws) {
  const auto factory = path() / "factory";
  std::filesystem::create_directories(factory);
  std::filesystem::create_directories(path() / "data");
  // Cheap hashes: what is tested is not how slow scrypt is.
  const auto hashed = [](const std::string& secret) {
    SecretHash made{.hash = "", .salt = random_bytes(16), .n = 16, .r = 8, .p = 1};
    made.hash = scrypt(secret, made.salt, made.n, made.r, made.p);
    return to_json(made);
  };
  const nlohmann::json unit = {{"model", "HT-1"},
                               {"serial", "HT1-000042"},
                               {"mac", "52:54:00:00:00:2a"},
                               {"hardware", "1"},
                               {"setup_secret", hashed(kSetupSecret)},
                               {"debug_unlock", hashed("debug-secret")},
                               {"cloud", "cloud.ht1.example"},
                               {"mqtt", "mqtt.ht1.example"},
                               {"flaws", flaws}};
  const auto own = make_certificate("HT1-000042"), device = make_certificate("HT1-000042", &maker);
  write_file(factory / "unit.json", unit.dump());
  write_file(factory / "tls.crt", own.certificate);
  write_file(factory / "device.crt", device.certificate);
  write_file(factory / "ca.crt", maker.certificate);
  write_file(factory / "update.pem", public_key_of(update_key.key));
  const std::string fuse_key = random_bytes(32), salt = random_bytes(32);
  std::filesystem::create_directories(factory / "sealed");
  write_file(factory / "sealed/.salt", salt);
  for (const auto& [name, key] : {std::pair{"tls.key", own.key}, std::pair{"device.key", device.key}}) {
    if (flaws.contains("keys-in-clear")) write_file(factory / name, key);
    const auto sealing = hkdf_sha256(fuse_key, salt, std::string("ht1 factory key ") + name);
    if (!flaws.contains("keys-in-clear")) write_file(factory / "sealed" / name, seal(sealing, name, key));
  }
  std::string fuses = fuse_key + sha256(unit.dump());
  fuses.resize(65536);
  write_file(path() / "fuses", fuses);
  write_file(path() / "disk", "");
  std::filesystem::resize_file(path() / "disk", 4 << 20);
}

Options UnitFolder::options() const {
  Options options;
  options.factory = path() / "factory", options.data = path() / "data", options.fuses = path() / "fuses", options.disk = path() / "disk";
  options.console = path() / "console";
  options.address = "127.0.0.1", options.port = 0, options.plain_port = 0, options.udp_port = 0;
  options.version = "1.1.0";
  return options;
}

std::string UnitFolder::read(const char* file) const { return read_if_there(path() / file).value_or(""); }

void ApiRig::power_cycle() {
  device.reset();
  const auto options = folder.options();
  device = std::make_unique<Device>(options, read_unit(options.factory, options.fuses), [this] { return now; });
  heating = std::make_unique<Heating>([](bool) {}, [] {});
  device->heating = heating.get();
  device->services.console = [this](const std::string& line) { console += line + "\n"; };
}

HttpResponse ApiRig::raw(const std::string& method, const std::string& path, const std::string& body, const std::string& token) {
  return answer_call(*device, {method, path, token, body});
}

HttpResponse ApiRig::call(const std::string& method, const std::string& path, const nlohmann::json& body, const std::string& token) {
  return raw(method, path, body.is_null() ? "" : body.dump(), token);
}

HttpResponse ApiRig::set_up(nlohmann::json more) {
  nlohmann::json body = {{"secret", kSetupSecret}, {"password", kPassword}};
  body.update(more);
  return call("POST", "/api/setup", body);
}

std::string ApiRig::login(const std::string& password) {
  const auto answer = call("POST", "/api/login", {{"password", password}});
  return answer.status == 200 ? nlohmann::json::parse(answer.body).at("token").get<std::string>() : "";
}

std::string ApiRig::events() const { return device->log.read().dump(); }

}  // namespace ht1
