#include "base/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>

#include "base/error.h"

namespace kinglet {

namespace {
class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    KINGLET_CHECK(context_ && EVP_DigestInit_ex(context_.get(), kind, nullptr) == 1);
  }
  void update(const void* data, size_t n) { KINGLET_CHECK(EVP_DigestUpdate(context_.get(), data, n) == 1); }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned n = 0;
    KINGLET_CHECK(EVP_DigestFinal_ex(context_.get(), raw.data(), &n) == 1);
    std::string text;
    for (unsigned i = 0; i < n; ++i) text += fmt::format("{:02x}", raw[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

std::string digest_file(const std::filesystem::path& path, const EVP_MD* kind) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(path.string(), "cannot be opened");
  Digest digest(kind);
  std::array<char, 65536> chunk;
  while (in.read(chunk.data(), chunk.size()), in.gcount() > 0) digest.update(chunk.data(), static_cast<size_t>(in.gcount()));
  if (in.bad()) throw Error(path.string(), "cannot be read");
  return digest.hex();
}
}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  Digest digest(EVP_sha256());
  digest.update(bytes.data(), bytes.size());
  return digest.hex();
}

std::string sha256_file(const std::filesystem::path& path) { return digest_file(path, EVP_sha256()); }
std::string sha1_file(const std::filesystem::path& path) { return digest_file(path, EVP_sha1()); }
std::string md5_file(const std::filesystem::path& path) { return digest_file(path, EVP_md5()); }

}  // namespace kinglet
