#include "model/label_set.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <fmt/format.h>
#include <new>

#include "base/hash.h"
#include "base/json.h"

namespace mlalert {

namespace {

// Bytes of the names of nearly every set.
constexpr size_t kNamesUsual = 512;
// A smaller set is copied rather than laid over: that costs as much.
constexpr size_t kOverlaidMin = 96;

uint64_t HashLabel(uint64_t hash, std::string_view name, std::string_view value) {
  hash = FnvAdd(FnvAdd(hash, name), static_cast<unsigned char>(0xFF));
  return FnvAdd(FnvAdd(hash, value), static_cast<unsigned char>(0xFF));
}

}  // namespace

// The value follows right behind `size`.
struct LabelSet::Overlay {
  LabelSet under;  // never an overlay itself
  uint16_t index;
  uint16_t size;
  const char* data() const { return reinterpret_cast<const char*>(this) + kHead; }
  std::string_view value() const { return {data(), size}; }
  static constexpr size_t kHead = sizeof(LabelSet) + 2 * sizeof(uint16_t);
};

std::string_view LabelSet::Block::OverlaidValue(size_t i) const {
  const Overlay& over = overlay();
  return i == over.index ? over.value() : over.under.block_->Part(over.under.block_->values(), i);
}

LabelSet::LabelSet(const LabelSet& other) noexcept : block_(other.block_) {
  if (block_ != nullptr) {
    block_->refs.fetch_add(1, std::memory_order_relaxed);
  }
}

LabelSet::~LabelSet() {
  if (block_ != nullptr && block_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    if (block_->is_overlay != 0) {
      block_->overlay().~Overlay();
    }
    block_->~Block();
    ::operator delete(block_);
  }
}

LabelSet LabelSet::FromSorted(std::span<const Label> labels) {
  LabelSet out;
  if (labels.empty()) {
    return out;
  }
  const size_t table = labels.size() * sizeof(uint32_t);
  size_t name_bytes = 0;
  size_t value_bytes = 0;
  for (const auto& label : labels) {
    name_bytes += label.name.size();
    value_bytes += label.value.size();
  }
  std::array<char, kNamesUsual> usual;
  std::string large(table + name_bytes > usual.size() ? table + name_bytes : 0, '\0');
  char* const names = large.empty() ? usual.data() : large.data();
  void* memory = ::operator new(sizeof(Block) + table + value_bytes);
  char* const values = static_cast<char*>(memory) + sizeof(Block);
  uint32_t name_end = 0;
  uint32_t value_end = 0;
  uint64_t hash = kFnvOffset;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto& label = labels[i];
    assert(i == 0 || labels[i - 1].name < label.name);
    std::copy(label.name.begin(), label.name.end(), names + table + name_end);
    std::copy(label.value.begin(), label.value.end(), values + table + value_end);
    name_end += static_cast<uint32_t>(label.name.size());
    value_end += static_cast<uint32_t>(label.value.size());
    std::memcpy(names + i * sizeof(uint32_t), &name_end, sizeof(name_end));
    std::memcpy(values + i * sizeof(uint32_t), &value_end, sizeof(value_end));
    hash = HashLabel(hash, label.name, label.value);
  }
  out.block_ = new (memory) Block{{1},
                                  static_cast<uint32_t>(labels.size()) & (UINT32_MAX >> 1),
                                  0,
                                  hash,
                                  SharedText(std::string_view(names, table + name_bytes))};
  return out;
}

LabelSet LabelSet::From(std::vector<std::pair<std::string, std::string>> labels) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Label> unique;
  unique.reserve(labels.size());
  for (const auto& [name, value] : labels) {
    if (!unique.empty() && unique.back().name == name) {
      unique.back().value = value;
    } else {
      unique.push_back({name, value});
    }
  }
  return FromSorted(unique);
}

LabelSet LabelSet::From(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  std::vector<std::pair<std::string, std::string>> copy;
  copy.reserve(labels.size());
  for (const auto& [name, value] : labels) {
    copy.emplace_back(name, value);
  }
  return From(std::move(copy));
}

std::string_view LabelSet::Get(std::string_view name) const {
  for (size_t i = 0; i < size(); ++i) {
    Label label = (*this)[i];
    if (label.name == name) {
      return label.value;
    }
  }
  return {};
}

bool LabelSet::Has(std::string_view name) const {
  for (size_t i = 0; i < size(); ++i) {
    if ((*this)[i].name == name) {
      return true;
    }
  }
  return false;
}

uint64_t LabelSet::fingerprint() const {
  return block_ != nullptr ? block_->fingerprint : kFnvOffset;
}

LabelSet LabelSet::Project(std::span<const std::string> names) const {
  std::vector<Label> kept;
  for (Label label : *this) {
    if (std::find(names.begin(), names.end(), label.name) != names.end()) {
      kept.push_back(label);
    }
  }
  return kept.size() == size() ? *this : FromSorted(kept);
}

LabelSet LabelSet::LaidOver(size_t index, std::string_view value) const {
  uint64_t hash = kFnvOffset;
  for (size_t i = 0; i < size(); ++i) {
    hash = HashLabel(hash, block_->name(i), i == index ? value : block_->value(i));
  }
  void* const memory =
      ::operator new(sizeof(Block) + std::max(sizeof(Overlay), Overlay::kHead + value.size()));
  char* const behind = static_cast<char*>(memory) + sizeof(Block);
  new (behind) Overlay{*this, static_cast<uint16_t>(index), static_cast<uint16_t>(value.size())};
  std::copy(value.begin(), value.end(), behind + Overlay::kHead);
  LabelSet out;
  out.block_ = new (memory) Block{{1}, block_->count, 1, hash, block_->names};
  return out;
}

LabelSet LabelSet::With(std::string_view name, std::string_view value) const {
  if (!value.empty() && block_ != nullptr) {
    // What is laid over this one is laid over what it is laid over.
    const LabelSet& whole = block_->is_overlay != 0 ? block_->overlay().under : *this;
    for (size_t i = 0; i < size() && i <= UINT16_MAX; ++i) {
      const bool apart = block_->is_overlay != 0 && i != block_->overlay().index;
      if (block_->name(i) == name && !apart && value.size() <= UINT16_MAX &&
          whole.ByteSize() >= kOverlaidMin) {
        return value == whole[i].value ? whole : whole.LaidOver(i, value);
      }
    }
  }
  std::vector<Label> out;
  out.reserve(size() + 1);
  bool placed = value.empty();
  for (Label label : *this) {
    if (!placed && name < label.name) {
      out.push_back({name, value});
      placed = true;
    }
    if (label.name != name) {
      out.push_back(label);
    } else if (!placed) {
      out.push_back({name, value});
      placed = true;
    }
  }
  if (!placed) {
    out.push_back({name, value});
  }
  return FromSorted(out);
}

std::string LabelSet::ToString() const {
  std::string out = "{";
  for (size_t i = 0; i < size(); ++i) {
    Label label = (*this)[i];
    if (i > 0) {
      out += ", ";
    }
    out += label.name;
    out += '=';
    out += GoQuote(label.value);
  }
  return out + "}";
}

bool operator==(const LabelSet& a, const LabelSet& b) {
  if (a.block_ == b.block_) {
    return true;
  }
  if (a.size() != b.size() || a.fingerprint() != b.fingerprint() || !(a.block_->names == b.block_->names)) {
    return false;
  }
  if (a.block_->is_overlay != 0 || b.block_->is_overlay != 0) {
    for (size_t i = 0; i < a.size(); ++i) {
      if (a.block_->value(i) != b.block_->value(i)) {
        return false;
      }
    }
    return true;
  }
  const size_t bytes = a.ByteSize();
  return bytes == b.ByteSize() &&
         std::memcmp(a.block_->values(), b.block_->values(), bytes - sizeof(LabelSet::Block)) == 0;
}

bool operator<(const LabelSet& a, const LabelSet& b) {
  if (a.size() != b.size()) {
    return a.size() < b.size();
  }
  // Walk the sorted union of names: the set that lacks the first differing name sorts first.
  for (size_t i = 0; i < a.size(); ++i) {
    Label x = a[i];
    Label y = b[i];
    if (x.name != y.name) {
      return y.name < x.name;
    }
    if (x.value != y.value) {
      return x.value < y.value;
    }
  }
  return false;
}

size_t LabelSet::Block::ByteSize() const {
  if (is_overlay != 0) {
    return sizeof(Block) + Overlay::kHead + overlay().size;
  }
  const std::string_view last = value(count - 1);
  return static_cast<size_t>(last.data() + last.size() - reinterpret_cast<const char*>(this));
}

size_t LabelSet::ByteSize() const {
  return block_ != nullptr ? block_->ByteSize() : 0;
}

namespace {

// What Go's unicode.IsPrint refuses beyond ASCII, as far as labels may hold it: control characters, every
// space but the ASCII one, marks of format and direction, private use.
bool IsUnprintable(char32_t c) {
  return c <= 0xA0 || c == 0xAD || (c >= 0x600 && c <= 0x605) || c == 0x61C || c == 0x6DD || c == 0x70F ||
         c == 0x1680 || c == 0x180E || (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
         (c >= 0x205F && c <= 0x206F) || c == 0x3000 || (c >= 0xE000 && c <= 0xF8FF) || c == 0xFEFF ||
         (c >= 0xFFF0 && c <= 0xFFFB) || (c & 0xFFFE) == 0xFFFE || (c >= 0xE0000 && c <= 0xE00FF) ||
         c >= 0xF0000;
}

// Appends the character that starts at text[i], quoted; returns its length.
size_t AppendQuotedWide(std::string& out, std::string_view text, size_t i) {
  auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const size_t length = byte(i) < 0xE0 ? 2 : byte(i) < 0xF0 ? 3 : 4;
  if (byte(i) < 0xC0 || i + length > text.size()) {
    out += fmt::format("\\x{:02x}", byte(i));  // not UTF-8
    return 1;
  }
  char32_t c = byte(i) & (0xFFU >> (length + 1));
  for (size_t k = 1; k < length; ++k) {
    c = (c << 6) | (byte(i + k) & 0x3FU);
  }
  if (!IsUnprintable(c)) {
    out += text.substr(i, length);
  } else if (c < 0x10000) {
    out += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
  } else {
    out += fmt::format("\\U{:08x}", static_cast<uint32_t>(c));
  }
  return length;
}

}  // namespace

std::string GoQuote(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      i += AppendQuotedWide(out, text, i) - 1;
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\v':
        out += "\\v";
        break;
      default:
        if (c < 0x20 || c == 0x7f) {
          out += fmt::format("\\x{:02x}", c);
        } else {
          out += static_cast<char>(c);
        }
    }
  }
  return out + "\"";
}

bool IsClassicLabelName(std::string_view name) {
  if (name.empty()) {
    return false;
  }
  for (size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    bool digit = c >= '0' && c <= '9';
    if (!letter && !(digit && i > 0)) {
      return false;
    }
  }
  return true;
}

}  // namespace mlalert
