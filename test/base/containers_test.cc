// The small containers, against those of the standard library.
#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "base/compact_vector.h"
#include "base/pointer_index.h"

namespace mlalert {
namespace {

struct Element {
  uint64_t hash = 0;
  int number = 0;
};
struct ElementHash {
  uint64_t operator()(const Element& element) const { return element.hash; }
};

template <class T>
std::vector<T> All(const CompactVector<T>& vector) {
  return {vector.begin(), vector.end()};
}

BOOST_AUTO_TEST_SUITE(containers)

BOOST_AUTO_TEST_CASE(an_index_finds_what_is_in_it) {
  std::mt19937 random(7);
  std::multimap<uint64_t, std::unique_ptr<Element>> reference;
  PointerIndex<Element, ElementHash> index;
  BOOST_TEST(index.Find(0) == nullptr);
  int wrong = 0;
  for (int step = 0; step < 20000; ++step) {
    // Few hashes, so that many are equal; consecutive ones, as ids are.
    const uint64_t hash = random() % 200;
    const bool grows = (step / 2000) % 2 == 0;
    if (random() % 10 < (grows ? 7U : 3U)) {
      auto element = std::make_unique<Element>(Element{hash, step});
      index.Insert(*element);
      reference.emplace(hash, std::move(element));
    } else if (const auto at = reference.find(hash); at != reference.end()) {
      wrong += index.Erase(*at->second) ? 0 : 1;
      reference.erase(at);
    }
    wrong += index.size() == reference.size() ? 0 : 1;
    const uint64_t asked = random() % 220;
    size_t count = 0;
    index.ForEach(asked, [&](Element& element) { count += element.hash == asked ? 1 : 100000; });
    wrong += count == reference.count(asked) ? 0 : 1;
    const auto [begin, end] = reference.equal_range(asked);
    for (auto it = begin; it != end; ++it) {
      const int number = it->second->number;
      wrong +=
          index.Find(asked, [&](const Element& e) { return e.number == number; }) == it->second.get() ? 0 : 1;
    }
  }
  BOOST_TEST(wrong == 0);
  const Element stranger{3, -1};
  BOOST_TEST(!index.Erase(stranger));
  PointerIndex<Element, ElementHash> moved = std::move(index);
  BOOST_TEST(moved.size() == reference.size());
  moved.clear();
  BOOST_TEST(moved.empty());
  BOOST_TEST(moved.Find(1) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_compact_vector_behaves_like_one) {
  std::mt19937 random(11);
  CompactVector<uint32_t> compact;
  std::vector<uint32_t> reference;
  int wrong = 0;
  for (int step = 0; step < 5000; ++step) {
    const auto value = static_cast<uint32_t>(random() % 10);
    switch (random() % 6) {
      case 0:
        if (!reference.empty()) {
          const size_t at = random() % reference.size();
          compact.erase(compact.begin() + at);
          reference.erase(reference.begin() + static_cast<std::ptrdiff_t>(at));
        }
        break;
      case 1:
        erase_if(compact, [value](uint32_t x) { return x == value; });
        std::erase(reference, value);
        break;
      case 2: {
        CompactVector<uint32_t> copy = compact;
        copy.push_back(99);
        wrong += All(compact) == reference ? 0 : 1;
        CompactVector<uint32_t> moved = std::move(copy);
        moved.pop_back();
        compact = std::move(moved);
        break;
      }
      default:
        if (reference.size() < 20) {
          compact.push_back(value);
          reference.push_back(value);
        }
    }
    wrong += All(compact) == reference ? 0 : 1;
  }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
