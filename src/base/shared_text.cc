#include "base/shared_text.h"

#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <unordered_set>

namespace mlalert {

// All texts in use.
class SharedTexts {
 public:
  using Block = SharedText::Block;

  // Never destroyed: texts in static storage may outlive everything.
  static SharedTexts& Table() {
    static auto& table = *new SharedTexts;
    return table;
  }

  const Block* Get(std::string_view text) {
    const Key key{text, std::hash<std::string_view>{}(text)};
    const std::lock_guard lock(mutex_);
    if (const auto known = blocks_.find(key); known != blocks_.end()) {
      (*known)->refs.fetch_add(1, std::memory_order_relaxed);
      return *known;
    }
    void* const memory = ::operator new(sizeof(Block) + text.size());
    auto* const made = new (memory) Block{{1}, static_cast<uint32_t>(text.size()), key.hash};
    std::memcpy(reinterpret_cast<char*>(made + 1), text.data(), text.size());
    blocks_.insert(made);
    return made;
  }

  // The last one goes under the lock, so that nobody finds what is about to be freed.
  void Release(const Block* block) {
    uint32_t refs = block->refs.load(std::memory_order_relaxed);
    while (refs > 1) {
      if (block->refs.compare_exchange_weak(refs, refs - 1, std::memory_order_acq_rel)) {
        return;
      }
    }
    const std::lock_guard lock(mutex_);
    if (block->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      blocks_.erase(block);
      block->~Block();
      ::operator delete(const_cast<Block*>(block));
    }
  }

 private:
  struct Key {
    std::string_view text;
    uint64_t hash;
  };
  struct ByText {
    using is_transparent = void;
    size_t operator()(const Block* block) const noexcept { return block->hash; }
    size_t operator()(const Key& key) const noexcept { return key.hash; }
    bool operator()(const Block* a, const Block* b) const { return a == b; }
    bool operator()(const Key& key, const Block* block) const {
      return key.text == std::string_view(block->bytes(), block->size);
    }
    bool operator()(const Block* block, const Key& key) const { return (*this)(key, block); }
  };

  std::mutex mutex_;
  std::unordered_set<const Block*, ByText, ByText> blocks_;
};

SharedText::SharedText(std::string_view text)
    : block_(text.empty() ? nullptr : SharedTexts::Table().Get(text)) {}

SharedText::~SharedText() {
  if (block_ != nullptr) {
    SharedTexts::Table().Release(block_);
  }
}

}  // namespace mlalert
