// keyscope_scale fill MODULE COUNT              makes objects until the token has COUNT
// keyscope_scale compare MODULE SMALL LARGE     VARIABLE=VALUE that lead the module to each store
//
// The PIN is 123456. Compares a token of few objects with one of many, each time in a new process,
// in turn.
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>

#include "tests/bench/child.h"
#include "tests/bench/population.h"
#include "tests/bench/report.h"

namespace keyscope::bench {
namespace {

constexpr size_t kAll = SIZE_MAX;
constexpr int kRounds = 9;
constexpr uint32_t kFinds = 2000, kStride = 7919;  // a prime, so that they are all over the store
constexpr double kLongest = 1e6;                   // us; a slow module is asked less often
constexpr uint32_t kLastMade = 1000;               // of which the median time is told

void Fill(const Client& client, uint32_t count) {
  client.Initialize();
  Client logged_in = client;
  const CK_SESSION_HANDLE session = logged_in.NewSessionLoggedIn();
  const auto present = static_cast<uint32_t>(client.Find(session, {}, kAll).size());
  const Population population;
  std::vector<double> times;
  for (uint32_t number = present; number < count; ++number) {
    const auto begin = Clock::now();
    population.Make(client, session, number);
    if (number + kLastMade >= count) times.push_back(MicrosecondsSince(begin));
  }
  std::cout << client.name() << ": " << client.Find(session, {}, kAll).size() << " objects";
  if (!times.empty())
    std::cout << "; creating one of the last " << times.size() << " took "
              << Median(std::move(times)) << " us (median)";
  std::cout << "\n";
  client.Finalize();
}

class Looker {
 public:
  Looker(const Client& client, CK_SESSION_HANDLE session, uint32_t count)
      : client_(client), session_(session), count_(count) {}

  // The time of one search for a public certificate by its CKA_ID.
  double FindOnce() const {
    const auto begin = Clock::now();
    FindOne(CountOf(kPublicCertificate) / 2 * kSorts + kPublicCertificate, false, true, false);
    return MicrosecondsSince(begin);
  }
  // The median time of that search, done again and again.
  double FindTheSame() const {
    return MedianOf([this](uint32_t) { FindOnce(); });
  }
  // The median time of a search for one of the objects of `sort` by these attributes, each time
  // another one.
  double Find(uint32_t sort, bool by_class, bool by_id, bool by_label) const {
    return MedianOf([&, of_sort = CountOf(sort)](uint32_t i) {
      FindOne(i * kStride % of_sort * kSorts + sort, by_class, by_id, by_label);
    });
  }
  // The median time that an object takes when all are found, 64 with each call.
  double FindAll() const {
    std::vector<double> times;
    CK_OBJECT_HANDLE some[64];
    CK_ULONG more = 0;
    Must(client_->C_FindObjectsInit(session_, nullptr, 0), "C_FindObjectsInit");
    do {
      const auto begin = Clock::now();
      Must(client_->C_FindObjects(session_, some, std::size(some), &more), "C_FindObjects");
      if (more != 0) times.push_back(MicrosecondsSince(begin) / static_cast<double>(more));
    } while (more != 0);
    Must(client_->C_FindObjectsFinal(session_), "C_FindObjectsFinal");
    return Median(std::move(times));
  }

 private:
  uint32_t CountOf(uint32_t sort) const {
    return count_ <= sort ? 1 : (count_ - sort - 1) / kSorts + 1;
  }
  template <typename Search>
  static double MedianOf(Search search) {
    std::vector<double> times;
    const auto start = Clock::now();
    for (uint32_t i = 0; i < kFinds && MicrosecondsSince(start) < kLongest; ++i) {
      const auto begin = Clock::now();
      search(i);
      times.push_back(MicrosecondsSince(begin));
    }
    return Median(std::move(times));
  }
  void FindOne(uint32_t number, bool by_class, bool by_id, bool by_label) const {
    CK_OBJECT_CLASS certificate = CKO_CERTIFICATE;
    Bytes id = IdOf(number);
    std::string label = LabelOf(number);
    std::vector<CK_ATTRIBUTE> wanted;
    if (by_class) wanted.push_back({CKA_CLASS, &certificate, sizeof certificate});
    if (by_id) wanted.push_back({CKA_ID, id.data(), id.size()});
    if (by_label) wanted.push_back({CKA_LABEL, label.data(), label.size()});
    if (client_.Find(session_, wanted, 2).size() != 1)
      throw std::runtime_error(label + " is not found");
  }

  const Client& client_;
  const CK_SESSION_HANDLE session_;
  const uint32_t count_;
};

constexpr std::pair<const char*, const char*> kRows[] = {
    {"dlopen + C_Initialize", kMicroseconds},
    {"open a session and log in", kMicroseconds},
    {"the process's first find, by CKA_ID", kMicroseconds},
    {"find the same by CKA_ID again", kMicroseconds},
    {"find by CKA_ID, each time another", kMicroseconds},
    {"find by CKA_LABEL", kMicroseconds},
    {"find by CKA_CLASS and CKA_ID", kMicroseconds},
    {"find a private one by CKA_ID", kMicroseconds},
    {"find a private one by CKA_LABEL", kMicroseconds},
    {"resident memory after that", kKib},
    {"find all, each object", kMicroseconds},
    {"resident memory after that too", kKib},
};

// One number for each of kRows.
std::vector<double> Look(const std::string& module, const std::string& variable, uint32_t count) {
  putenv(strdup(variable.c_str()));
  std::vector<double> numbers;
  auto begin = Clock::now();
  auto done = [&] {
    numbers.push_back(MicrosecondsSince(begin));
    begin = Clock::now();
  };
  Client client({module});
  client.Initialize();
  done();
  const CK_SESSION_HANDLE session = client.NewSessionLoggedIn();
  done();
  const Looker looker(client, session, count);
  numbers.push_back(looker.FindOnce());
  numbers.push_back(looker.FindTheSame());
  numbers.push_back(looker.Find(kPublicCertificate, false, true, false));
  numbers.push_back(looker.Find(kPublicCertificate, false, false, true));
  numbers.push_back(looker.Find(kPublicCertificate, true, true, false));
  numbers.push_back(looker.Find(kPrivateCertificate, false, true, false));
  numbers.push_back(looker.Find(kPrivateCertificate, false, false, true));
  numbers.push_back(OwnResidentKib());
  numbers.push_back(looker.FindAll());
  numbers.push_back(OwnResidentKib());
  client.Finalize();
  return numbers;
}

uint32_t CountOf(const std::string& module, const std::string& variable) {
  auto count = [&] {
    putenv(strdup(variable.c_str()));
    Client client({module});
    client.Initialize();
    const CK_SESSION_HANDLE session = client.NewSessionLoggedIn();
    const std::vector<double> found{static_cast<double>(client.Find(session, {}, kAll).size())};
    client.Finalize();
    return found;
  };
  return static_cast<uint32_t>(InChild(count).front());
}

void Compare(const std::string& module, const std::string& small, const std::string& large) {
  Report report;
  std::vector<std::vector<double>> numbers[2];
  const std::string* variables[] = {&small, &large};
  uint32_t counts[2];
  for (size_t which : {0U, 1U}) {
    counts[which] = CountOf(module, *variables[which]);
    report.subjects.push_back(std::to_string(counts[which]) + " objects");
  }
  for (int round = 0; round < kRounds; ++round)
    for (size_t which : {0U, 1U})
      numbers[which].push_back(
          InChild([&] { return Look(module, *variables[which], counts[which]); }));
  for (size_t i = 0; i < std::size(kRows); ++i) {
    ReportRow& row = report.rows.emplace_back(ReportRow{kRows[i].first, kRows[i].second, {}});
    for (size_t which : {0U, 1U}) {
      std::vector<double> column;
      for (const auto& round : numbers[which]) column.push_back(round.at(i));
      row.cells[report.subjects[which]] = {Median(std::move(column)), {}};
    }
  }
  std::cout << module << "\n";
  report.WriteTable(std::cout);
}

void Main(const std::vector<std::string>& words) {
  if (words.size() == 3 && words[0] == "fill") {
    Fill(Client({words[1]}), static_cast<uint32_t>(std::stoul(words[2])));
  } else if (words.size() == 4 && words[0] == "compare") {
    Compare(words[1], words[2], words[3]);
  } else {
    throw std::runtime_error(
        "usage: keyscope_scale fill MODULE COUNT | compare MODULE SMALL LARGE");
  }
}

}  // namespace
}  // namespace keyscope::bench

int main(int argc, char** argv) {
  try {
    keyscope::bench::Main({argv + 1, argv + argc});
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
