// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: every corpus file as it is, then seeded mutations, the same in every run.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void feed(const std::string& input) { LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()); }

std::string mutated(std::string input, const std::string& other, std::mt19937_64& random) {
  for (auto steps = 1 + random() % 4; steps > 0; --steps) {
    const auto at = input.empty() ? 0 : random() % input.size();
    switch (random() % 5) {
      case 0:
        input.insert(at, 1, static_cast<char>(random()));
        break;
      case 1:
        if (!input.empty()) input[at] = static_cast<char>(random());
        break;
      case 2:
        input.erase(at, random() % 8);
        break;
      case 3:
        input.insert(at, other.substr(other.empty() ? 0 : random() % other.size(), random() % 64));
        break;
      default:
        input.resize(at);
        break;
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> corpus{""};
  std::error_code none;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], none)) {
      std::ifstream file(entry.path(), std::ios::binary);
      corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  if (corpus.size() < 2) return std::fprintf(stderr, "no corpus: add files to tests/fuzz/corpus/<target>/\n"), 1;
  for (const auto& input : corpus) feed(input);
  std::mt19937_64 random(20251124);
  for (int i = 0; i < 3000; ++i) feed(mutated(corpus[random() % corpus.size()], corpus[random() % corpus.size()], random));
  std::printf("%zu corpus files and 3000 mutations: no crash\n", corpus.size() - 1);
}
