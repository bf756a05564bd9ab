// The small containers, against those of the standard library.
#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <vector>

#include "base/compact_vector.h"
#include "base/id_table.h"
#include "base/min_heap.h"
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

BOOST_AUTO_TEST_CASE(a_guess_of_the_index_is_what_it_finds) {
  std::vector<Element> elements(500);
  PointerIndex<Element, ElementHash> index;
  BOOST_TEST(index.Guess(0) == nullptr);
  for (size_t i = 0; i < elements.size(); ++i) {
    elements[i].hash = i * 0x9E3779B97F4A7C15ULL;
    index.Insert(elements[i]);
  }
  size_t right = 0;
  for (const Element& element : elements) {
    right += index.Guess(element.hash) == &element ? 1 : 0;
  }
  BOOST_TEST(right > elements.size() * 9 / 10);  // two of one tag may stand side by side
  size_t all = 0;
  index.ForEachElement([&](const Element&) { ++all; });
  BOOST_TEST(all == elements.size());
}

BOOST_AUTO_TEST_CASE(a_heap_gives_the_least_first) {
  std::mt19937 random(11);
  MinHeap<int> heap;
  std::priority_queue<int, std::vector<int>, std::greater<>> reference;
  int wrong = 0;
  for (int step = 0; step < 20000; ++step) {
    const bool grows = (step / 1000) % 2 == 0;
    if (reference.empty() || random() % 10 < (grows ? 7U : 3U)) {
      const int value = static_cast<int>(random() % 500);
      heap.emplace(value);
      reference.push(value);
    } else {
      heap.pop();
      reference.pop();
    }
    wrong += heap.size() != reference.size() || heap.empty() != reference.empty();
    wrong += !reference.empty() && heap.top() != reference.top();
  }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(an_id_table_finds_what_is_in_it) {
  std::mt19937 random(13);
  std::map<uint64_t, std::unique_ptr<Element>> reference;
  IdTable<Element> table;
  int wrong = 0;
  uint64_t newest = 1'000'000;
  for (int step = 0; step < 20000; ++step) {
    // New ids count up; old ones go, at times a lone one stays behind.
    if (random() % 2 == 0) {
      auto element = std::make_unique<Element>(Element{++newest, step});
      table.Set(newest, *element);
      reference[newest] = std::move(element);
    } else {
      const uint64_t id = newest - random() % 300;
      table.Erase(id);
      reference.erase(id);
    }
    for (uint64_t id : {newest - random() % 400, uint64_t{random() % 2000}}) {
      auto it = reference.find(id);
      wrong += table.Find(id) != (it != reference.end() ? it->second.get() : nullptr);
    }
  }
  BOOST_TEST(wrong == 0);
  IdTable<Element> moved(std::move(table));
  BOOST_TEST(moved.Find(reference.begin()->first) == reference.begin()->second.get());
  BOOST_TEST(table.Find(reference.begin()->first) == nullptr);  // NOLINT(bugprone-use-after-move): empty then
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
