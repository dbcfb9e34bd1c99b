#include "tests/fakes/ncrypt/double.h"

namespace keyscope::ncrypt_double {
namespace {

constexpr wchar_t kProviderFolder[] = L"\\Microsoft\\Crypto\\PCPKSP\\8f3d2c51a7";

std::wstring Wide(const std::string& text) { return {text.begin(), text.end()}; }

void MakeFolders(const std::wstring& path) {
  for (size_t at = path.find(L'\\', 3); at != path.npos; at = path.find(L'\\', at + 1))
    CreateDirectoryW(path.substr(0, at).c_str(), nullptr);
}

}  // namespace

std::wstring Folder() {
  std::wstring folder = Wide(Setting("KEYSCOPE_DOUBLE_DIR"));
  for (wchar_t& letter : folder)
    if (letter == L'/') letter = L'\\';
  Require(!folder.empty(), 0x80090030);  // NTE_DEVICE_NOT_READY
  return folder;
}

bool ReadFile(const std::wstring& path, Bytes& content) {
  FILE* file = _wfopen(path.c_str(), L"rb");
  if (file == nullptr) return false;
  content.clear();
  uint8_t buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof buffer, file)) > 0;)
    content.insert(content.end(), buffer, buffer + size);
  fclose(file);
  return true;
}

void WriteFile(const std::wstring& path, const Bytes& content) {
  MakeFolders(path);
  FILE* file = _wfopen(path.c_str(), L"wb");
  Require(file != nullptr, 0x80070005);
  fwrite(content.data(), 1, content.size(), file);
  fclose(file);
}

void AppendLine(const std::wstring& name, const std::string& line) try {
  const std::wstring path = Folder() + L"\\" + name;
  MakeFolders(path);
  FILE* file = _wfopen(path.c_str(), L"ab");
  if (file == nullptr) return;
  const std::string whole = line + "\n";
  fwrite(whole.data(), 1, whole.size(), file);
  fclose(file);
} catch (const Failure&) {  // no folder: nothing is recorded
}

std::wstring KeyFolder(bool machine) {
  if (machine) return Folder() + L"\\ProgramData" + kProviderFolder;
  std::string account = Setting("KEYSCOPE_DOUBLE_ACCOUNT");
  if (account.empty()) account = "Administrator";
  return Folder() + L"\\Users\\" + Wide(account) + L"\\AppData\\Local" + kProviderFolder;
}

std::wstring KeyFile(const std::wstring& name, bool machine) {
  Bytes bytes;
  for (wchar_t letter : name) Put(bytes, letter, 2);
  std::wstring file = KeyFolder(machine) + L"\\";
  for (uint8_t byte : Digest("SHA1", bytes)) {
    file += L"0123456789abcdef"[byte >> 4];
    file += L"0123456789abcdef"[byte & 15];
  }
  return file + L".PCPKEY";
}

}  // namespace keyscope::ncrypt_double
