// Finds elements by an id that counts up: pages of 64 consecutive ids, so that what was made together is
// found together, and finding looks at no element. About 9 bytes for an element where ids are dense, half a
// kilobyte for one that is alone. Used by: incidents/. Owns: pages, not elements. Thread: its owner's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/pointer_index.h"

namespace mlalert {

template <class T>
class IdTable {
 public:
  IdTable() = default;
  IdTable(IdTable&&) noexcept = default;
  IdTable& operator=(IdTable&&) = delete;
  ~IdTable() {
    pages_.ForEachElement([](Page& page) { delete &page; });
  }

  // Null: none.
  T* Find(uint64_t id) const {
    const Page* page = pages_.Find(id / kPage);
    return page != nullptr ? page->elements[id % kPage] : nullptr;
  }

  // Takes the place of another one of that id.
  void Set(uint64_t id, T& element) {
    Page* page = pages_.Find(id / kPage);
    if (page == nullptr) {
      page = new Page{id / kPage};
      pages_.Insert(*page);
    }
    T*& place = page->elements[id % kPage];
    page->used += place == nullptr ? 1 : 0;
    place = &element;
  }

  void Erase(uint64_t id) {
    Page* page = pages_.Find(id / kPage);
    if (page == nullptr || std::exchange(page->elements[id % kPage], nullptr) == nullptr) {
      return;
    }
    if (--page->used == 0) {
      pages_.Erase(*page);
      delete page;
    }
  }

 private:
  static constexpr size_t kPage = 64;
  struct Page {
    uint64_t number = 0;
    size_t used = 0;
    std::array<T*, kPage> elements{};
  };
  struct ByNumber {
    uint64_t operator()(const Page& page) const { return page.number; }
  };

  PointerIndex<Page, ByNumber> pages_;
};

}  // namespace mlalert
