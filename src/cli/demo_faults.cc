#include "cli/demo_faults.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "base/hash.h"

namespace mlalert {
namespace {

constexpr std::array<double, 9> kBounds{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30};
constexpr double kBudget = 500;
constexpr int kFeatures = 10;

bool Within(double t, double from, double to) {
  return t >= from && t < to;
}

std::string Le(double bound) {
  return fmt::format("{}", bound);
}

struct Family {
  std::string_view name, type, help;
};

void Header(std::string& out, const Family& family) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family.name, family.help, family.name, family.type);
}

}  // namespace

DemoFaults FaultsAt(const std::string& model, double seconds) {
  double t = std::fmod(seconds, kDemoCycleSeconds);
  DemoFaults faults;
  if (model == "churn-v4") {
    // A slow drift that nobody acts on: it climbs the whole ladder.
    faults.drifted_features = Within(t, 0, 110) ? 2 : 0;
  } else if (model == "fraud-detector-v2") {
    faults.down = Within(t, 9, 26);
    // Climbs too, until the demo's on-call acknowledges it.
    faults.null_ratio = Within(t, 2, 115) ? 0.08 : 0.01;
  } else if (model == "support-llm") {
    // Two faults with one cause: they arrive as one notification.
    faults.slow_share = Within(t, 14, 75) ? 0.05 : 0;
    faults.cost_today = Within(t, 14, 90) ? 425 : 100;
  }
  return faults;
}

DemoPlatform::DemoPlatform(uint64_t seed) : seed_(seed) {
  models_ = {{"fraud-detector-v2", 40}, {"churn-v4", 30}, {"support-llm", 28}};
}

double DemoPlatform::Noise(const std::string& model, double seconds) const {
  uint64_t h = XxHash64(fmt::format("{}/{}", model, std::floor(seconds)), seed_);
  return static_cast<double>(h >> 11) / 9007199254740992.0 * 2 - 1;
}

void DemoPlatform::Advance(Model& model, double from, double to) {
  for (double t = from; t < to;) {
    double step = std::min(std::floor(t) + 1, to) - t;
    DemoFaults faults = FaultsAt(model.name, t);
    double requests = model.requests_per_second * (1 + 0.1 * Noise(model.name, t)) * step;
    model.errors += requests * faults.error_share;
    model.success += requests * (1 - faults.error_share);
    double slow = requests * faults.slow_share;
    double fast = requests - slow;
    for (double bound : kBounds) {
      double share_below = bound >= 0.5 ? 1.0 : bound >= 0.25 ? 0.9 : 0.4;
      model.buckets[Le(bound)] += fast * share_below + (bound >= 10 ? slow : 0);
    }
    model.latency_count += requests;
    model.latency_sum += fast * 0.2 + slow * 7;
    model.classes["legit"] += requests * faults.dominant_share;
    model.classes["other"] += requests * (1 - faults.dominant_share);
    t += step;
  }
}

std::string DemoPlatform::Scrape(double seconds, double unix_seconds) {
  for (Model& model : models_) {
    Advance(model, at_, std::max(at_, seconds));
  }
  at_ = std::max(at_, seconds);

  std::string out;
  auto gauge = [&](std::string_view name, std::string_view help, auto value) {
    Header(out, {name, "gauge", help});
    for (const Model& model : models_) {
      out +=
          fmt::format("{}{{model=\"{}\"}} {}\n", name, model.name, value(model, FaultsAt(model.name, at_)));
    }
  };
  Header(out, {"ml_predictions_total", "counter", "Predictions answered."});
  for (const Model& model : models_) {
    out += fmt::format(
        "ml_predictions_total{{model=\"{0}\",model_version=\"1\",status=\"success\"}} {1}\n"
        "ml_predictions_total{{model=\"{0}\",model_version=\"1\",status=\"error\"}} {2}\n",
        model.name, model.success, model.errors);
  }
  // The shipped rules run 60 times faster in the demo, so their "hour" is a minute.
  gauge("ml_expected_predictions_per_hour", "Predictions expected per (demo) hour.",
        [](const Model& m, const DemoFaults&) { return m.requests_per_second * 60; });
  gauge("ml_model_up", "1 when a real prediction on a canary row works.",
        [](const Model&, const DemoFaults& f) { return f.down ? 0 : 1; });
  Header(out, {"ml_prediction_latency_seconds", "histogram", "Time to answer a prediction."});
  for (const Model& model : models_) {
    for (double bound : kBounds) {
      out += fmt::format("ml_prediction_latency_seconds_bucket{{model=\"{}\",le=\"{}\"}} {}\n", model.name,
                         Le(bound), model.buckets.count(Le(bound)) == 1 ? model.buckets.at(Le(bound)) : 0);
    }
    out += fmt::format(
        "ml_prediction_latency_seconds_bucket{{model=\"{0}\",le=\"+Inf\"}} {1}\n"
        "ml_prediction_latency_seconds_count{{model=\"{0}\"}} {1}\n"
        "ml_prediction_latency_seconds_sum{{model=\"{0}\"}} {2}\n",
        model.name, model.latency_count, model.latency_sum);
  }
  Header(out, {"ml_prediction_class_total", "counter", "Predictions by predicted class."});
  for (const Model& model : models_) {
    for (const auto& [name, count] : model.classes) {
      out +=
          fmt::format("ml_prediction_class_total{{model=\"{}\",class=\"{}\"}} {}\n", model.name, name, count);
    }
  }
  Header(out, {"ml_prediction_class_baseline_ratio", "gauge", "Share of each class at training time."});
  for (const Model& model : models_) {
    out += fmt::format(
        "ml_prediction_class_baseline_ratio{{model=\"{0}\",class=\"legit\"}} 0.6\n"
        "ml_prediction_class_baseline_ratio{{model=\"{0}\",class=\"other\"}} 0.4\n",
        model.name);
  }
  gauge("ml_features", "Features monitored for drift.",
        [](const Model&, const DemoFaults&) { return kFeatures; });
  gauge("ml_drifted_features", "Features drifted in the last window.",
        [](const Model&, const DemoFaults& f) { return f.drifted_features; });
  gauge("ml_drift_sample_size", "Rows in the current drift window.",
        [](const Model&, const DemoFaults&) { return 5000; });
  gauge("ml_model_accuracy_ratio", "Accuracy on labelled predictions.",
        [](const Model&, const DemoFaults& f) { return f.accuracy; });
  gauge("ml_model_baseline_accuracy_ratio", "Accuracy at deployment.",
        [](const Model&, const DemoFaults&) { return 0.95; });
  gauge("ml_model_evaluated_samples", "Labelled rows behind the accuracy.",
        [](const Model&, const DemoFaults&) { return 2000; });
  gauge("ml_llm_cost_today_dollars", "Spent today.",
        [](const Model&, const DemoFaults& f) { return f.cost_today; });
  gauge("ml_llm_daily_budget_dollars", "Budget of a day.",
        [](const Model&, const DemoFaults&) { return kBudget; });
  Header(out, {"ml_feature_null_ratio", "gauge", "Share of null values of a feature."});
  for (const Model& model : models_) {
    out += fmt::format("ml_feature_null_ratio{{model=\"{}\",feature=\"customer_age\"}} {}\n", model.name,
                       FaultsAt(model.name, at_).null_ratio);
  }
  auto constant = [&](std::string_view name, std::string_view labels, std::string_view help, double value) {
    Header(out, {name, "gauge", help});
    out += fmt::format("{}{{{}}} {:.3f}\n", name, labels, value);
  };
  constant("ml_feature_last_update_timestamp_seconds", "feature_view=\"customer_daily\"",
           "When the feature view was last materialised.", unix_seconds - 5);
  constant("ml_feature_max_age_seconds", "feature_view=\"customer_daily\"", "How old the view may be.", 30);
  constant("ml_pipeline_last_success_timestamp_seconds", "pipeline=\"feature-ingest\"",
           "Last successful run.", unix_seconds - 5);
  constant("ml_pipeline_expected_interval_seconds", "pipeline=\"feature-ingest\"", "Time between runs.", 60);
  Header(out, {"ml_pipeline_records_processed_total", "counter", "Records processed."});
  out += fmt::format("ml_pipeline_records_processed_total{{pipeline=\"feature-ingest\"}} {}\n", at_ * 10);
  Header(out, {"ml_monitor_last_run_timestamp_seconds", "gauge", "Last run of the monitor job."});
  for (const Model& model : models_) {
    for (std::string_view check : {"drift", "accuracy", "nulls"}) {
      out += fmt::format("ml_monitor_last_run_timestamp_seconds{{model=\"{}\",check=\"{}\"}} {:.3f}\n",
                         model.name, check, unix_seconds - 2);
    }
  }
  Header(out, {"ml_monitor_interval_seconds", "gauge", "Time between runs of the monitor job."});
  for (const Model& model : models_) {
    for (std::string_view check : {"drift", "accuracy", "nulls"}) {
      out += fmt::format("ml_monitor_interval_seconds{{model=\"{}\",check=\"{}\"}} 10\n", model.name, check);
    }
  }
  gauge("ml_ground_truth_last_label_timestamp_seconds", "Event time of the newest label.",
        [&](const Model&, const DemoFaults&) { return fmt::format("{:.3f}", unix_seconds - 5); });
  gauge("ml_ground_truth_expected_delay_seconds", "Usual delay of labels.",
        [](const Model&, const DemoFaults&) { return 60; });
  return out;
}

}  // namespace mlalert
