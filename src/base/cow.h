// A value that is shared by its copies and nearly always the default one, which costs nothing. Changing it
// makes a new value: copies that are elsewhere, on other threads too, keep theirs. Thread: as a value; what
// is shared is immutable.
#pragma once

#include <memory>
#include <utility>

namespace mlalert {

template <class T>
class Cow {
 public:
  const T& operator*() const {
    static const T kDefault{};
    return value_ != nullptr ? *value_ : kDefault;
  }
  const T* operator->() const { return &**this; }
  // Nothing was ever set.
  bool is_default() const { return value_ == nullptr; }

  // Costs nothing when it is so already.
  template <class Field, class Value>
  void Set(Field T::*field, Value&& value) {
    Field wanted(std::forward<Value>(value));
    if ((**this).*field == wanted) {
      return;
    }
    auto changed = std::make_shared<T>(**this);
    (*changed).*field = std::move(wanted);
    value_ = std::move(changed);
  }

 private:
  std::shared_ptr<const T> value_;
};

}  // namespace mlalert
