#include "tests/module/memory_scan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>

namespace keyscope::test {
namespace {

constexpr uint8_t kMask = 0xA5;
constexpr size_t kPiece = 16, kChunk = size_t{1} << 20;

// A mapping of its own, so that it can be left out of what is searched.
class Window {
 public:
  Window()
      : bytes_(static_cast<uint8_t*>(
            mmap(nullptr, kChunk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))),
        memory_(open("/proc/self/mem", O_RDONLY | O_CLOEXEC)) {
    if (bytes_ == MAP_FAILED || memory_ < 0) throw std::runtime_error("/proc/self/mem");
  }
  ~Window() {
    munmap(bytes_, kChunk);
    close(memory_);
  }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  bool Is(uint64_t address) const { return address == reinterpret_cast<uint64_t>(bytes_); }
  // Up to a chunk of memory, masked.
  std::span<const uint8_t> Read(uint64_t address, uint64_t end) {
    const auto wanted = std::min<uint64_t>(kChunk, end - address);
    const ssize_t got = pread(memory_, bytes_, wanted, static_cast<off_t>(address));
    const size_t size = got > 0 ? static_cast<size_t>(got) : 0;
    for (size_t i = 0; i < size; ++i) bytes_[i] ^= kMask;
    return {bytes_, size};
  }

 private:
  uint8_t* bytes_;
  int memory_;
};

struct Range {
  uint64_t start, end;
  std::string mapping;
};

// The parts of a mapping that have pages: most of what a process has was never touched.
std::vector<Range> Touched(const Range& mapping) {
  constexpr uint64_t kPage = 4096, kPresentOrSwapped = uint64_t{3} << 62;
  std::vector<uint64_t> pages((mapping.end - mapping.start) / kPage);
  const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  const size_t size = pages.size() * sizeof pages[0];
  const ssize_t got = pread(pagemap, pages.data(), size,
                            static_cast<off_t>(mapping.start / kPage * sizeof pages[0]));
  close(pagemap);
  if (got != static_cast<ssize_t>(size)) throw std::runtime_error("/proc/self/pagemap");
  std::vector<Range> ranges;
  for (size_t i = 0; i < pages.size(); ++i) {
    if ((pages[i] & kPresentOrSwapped) == 0) continue;
    const uint64_t start = mapping.start + i * kPage;
    if (ranges.empty() || ranges.back().end != start)
      ranges.push_back({start, start, mapping.mapping});
    ranges.back().end = start + kPage;
  }
  return ranges;
}

std::vector<Range> WritableMemory(const Window& window) {
  std::vector<Range> all;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    Range mapping{0, 0, line};
    char dash = 0;
    std::string rights;
    fields >> std::hex >> mapping.start >> dash >> mapping.end >> rights;
    if (!rights.starts_with("rw") || window.Is(mapping.start)) continue;
    const auto touched = Touched(mapping);
    all.insert(all.end(), touched.begin(), touched.end());
  }
  return all;
}

// The offsets of the pieces of `needle` that stand in `hay`.
std::vector<size_t> PiecesIn(ByteView needle, ByteView hay) {
  std::vector<size_t> found;
  for (size_t at = 0; at + kPiece <= needle.size(); at += kPiece)
    if (memmem(hay.data(), hay.size(), needle.data() + at, kPiece) != nullptr) found.push_back(at);
  return found;
}

std::string Describe(const MaskedSecret& secret, size_t offset, const std::string& where) {
  return std::string(secret.name) + " from byte " + std::to_string(offset) + " in " + where;
}

}  // namespace

MaskedSecret MaskedSecret::Random(const char* name, size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  MaskedSecret secret{name, Bytes(size)};
  for (uint8_t& byte : secret.masked) byte = static_cast<uint8_t>(kDigits[random() % 16]) ^ kMask;
  return secret;
}

MaskedSecret MaskedSecret::Of(const char* name, ByteView clear) {
  MaskedSecret secret{name, Bytes(clear.size())};
  std::ranges::transform(clear, secret.masked.begin(), [](uint8_t byte) { return byte ^ kMask; });
  return secret;
}

Exposed::Exposed(const MaskedSecret& secret) : clear_(secret.masked.size()) {
  std::ranges::transform(secret.masked, clear_.data(), [](uint8_t byte) { return byte ^ kMask; });
}

std::vector<std::string> FindInMemory(const std::vector<MaskedSecret>& secrets) {
  std::vector<std::string> found;
  Window window;
  for (const Range& range : WritableMemory(window)) {
    for (uint64_t at = range.start; at < range.end;) {
      const auto chunk = window.Read(at, range.end);
      if (chunk.empty()) break;
      for (const MaskedSecret& secret : secrets)
        for (size_t offset : PiecesIn(secret.masked, chunk))
          found.push_back(Describe(secret, offset, range.mapping));
      at += chunk.size();
      if (at < range.end) at -= kPiece - 1;  // a piece across the border
    }
  }
  return found;
}

std::vector<std::string> FindInFile(const std::vector<MaskedSecret>& secrets,
                                    const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator(file), {}};
  std::vector<std::string> found;
  for (const MaskedSecret& secret : secrets) {
    const Exposed clear(secret);
    const std::string digits = Hex(clear.view());
    for (size_t at : PiecesIn(clear.view(), AsBytes(text)))
      found.push_back(Describe(secret, at, path));
    for (size_t at : PiecesIn(AsBytes(digits), AsBytes(text)))
      found.push_back(Describe(secret, at / 2, path) + " in hex");
  }
  return found;
}

}  // namespace keyscope::test
