#include "alerts/alert_order.h"

#include <algorithm>
#include <string_view>

namespace mlalert {
namespace {

// What decides nearly always, looked up once for a sort.
struct Place {
  std::string_view job, instance;
  const LabelSet* labels = nullptr;
  uint32_t index = 0;
};

Place PlaceOf(const LabelSet& labels, uint32_t index) {
  return {labels.Get("job"), labels.Get("instance"), &labels, index};
}

bool operator<(const Place& a, const Place& b) {
  for (auto name : {&Place::job, &Place::instance}) {
    const std::string_view x = a.*name;
    const std::string_view y = b.*name;
    if (x != y) {
      return x.empty() || y.empty() ? y.empty() : x < y;
    }
  }
  return *a.labels < *b.labels;
}

}  // namespace

bool AlertBefore(const LabelSet& a, const LabelSet& b) {
  return PlaceOf(a, 0) < PlaceOf(b, 0);
}

std::vector<uint32_t> AlertOrder(std::span<const LabelSet* const> labels) {
  std::vector<Place> places;
  places.reserve(labels.size());
  for (const LabelSet* one : labels) {
    places.push_back(PlaceOf(*one, static_cast<uint32_t>(places.size())));
  }
  std::vector<uint32_t> order;
  if (std::is_sorted(places.begin(), places.end())) {
    return order;
  }
  std::stable_sort(places.begin(), places.end());
  order.reserve(places.size());
  for (const Place& place : places) {
    order.push_back(place.index);
  }
  return order;
}

}  // namespace mlalert
