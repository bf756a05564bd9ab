#include "support/story_player.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

#include "model/matcher_parse.h"
#include "storage/migrator.h"
#include "storage/record_writer.h"
#include "storage/restore.h"

namespace mlalert::testing {
namespace {

// The storage of production, in memory. The process may die within a transaction.
class SqliteStore final : public SimStore {
 public:
  explicit SqliteStore(std::function<bool()> dies)
      : db_(Open()), writer_(RecordWriter::Create(db_).value()), dies_(std::move(dies)) {}

  void Commit(const std::vector<Record>& records) override {
    Txn txn = Txn::Begin(db_).value();
    for (const Record& record : records) {
      if (Status written = writer_.Write(record); !written) {
        throw std::logic_error(written.error().ToString());
      }
      if (dies_()) {
        throw Crash{};  // rolled back
      }
    }
    if (Status committed = txn.Commit(); !committed) {
      throw std::logic_error(committed.error().ToString());
    }
  }
  RestoredState Load() override { return LoadState(db_, kUnset).value(); }

 private:
  static Db Open() {
    Db db = Db::Open("", DbMode::kMemory).value();
    if (Status migrated = Migrate(db); !migrated) {
      throw std::logic_error(migrated.error().ToString());
    }
    return db;
  }

  Db db_;
  RecordWriter writer_;
  std::function<bool()> dies_;
};

}  // namespace

StoryPlayer::StoryPlayer(Story story) : story_(std::move(story)) {
  sim_ = std::make_unique<Sim>(story_.features.ToYaml());
  witness_ = std::make_unique<Witness>(*sim_, story_.features);
  at_ = sim_->now();
  const bool dies = std::any_of(story_.steps.begin(), story_.steps.end(),
                                [](const StoryStep& step) { return !step.deaths.empty(); });
  if (dies) {
    store_ = std::make_unique<SqliteStore>([this] { return Dies(); });
    sim_->SetStore(store_.get()).CrashWhen([this] { return Dies(); });
  }
  sim_->Watch([this] { witness_->Look(); });
}

StoryPlayer::~StoryPlayer() = default;

bool StoryPlayer::Dies() {
  if (deaths_.empty() || ++writes_ < deaths_.front().write) {
    return false;
  }
  return true;
}

// `again`: its sender does it again when the process died over it.
void StoryPlayer::Survive(const std::function<void()>& f, bool again) {
  for (;;) {
    try {
      f();
      return;
    } catch (const Crash&) {
    }
    for (bool up = false; !up;) {
      const StoryDeath death = deaths_.front();
      deaths_.erase(deaths_.begin());
      writes_ = 0;
      ++died_;
      try {
        witness_->Disturb(sim_->now() + std::chrono::seconds(death.down));
        sim_->Restart(std::chrono::seconds(death.down));
        for (const int alert : known_) {
          fire_.contains(alert) ? sim_->Fire(StoryAlert(alert)) : sim_->Resolve(StoryAlert(alert));
        }
        up = true;
      } catch (const Crash&) {
      }
    }
    if (!again) {
      return;
    }
  }
}

void StoryPlayer::Advance(Duration wait) {
  at_ = std::max(at_ + wait, sim_->now());
  do {
    Survive([&] { sim_->At(at_ - sim_->start()); }, false);
    at_ = std::max(at_, sim_->now());  // it was down
  } while (sim_->now() < at_);
}

// No two inputs at the very same instant.
void StoryPlayer::Fire(int alert) {
  Advance(std::chrono::milliseconds(1));
  fire_.insert(alert);
  known_.insert(alert);
  Survive([&] { sim_->Fire(StoryAlert(alert)); }, true);
}

void StoryPlayer::Resolve(int alert) {
  Advance(std::chrono::milliseconds(1));
  fire_.erase(alert);
  Survive([&] { sim_->Resolve(StoryAlert(alert)); }, true);
}

// The newest one of that identity; 0: none.
IncidentId StoryPlayer::IncidentOf(int target) {
  const LabelSet key = StoryKey(target);
  IncidentId id = 0;
  for (const Incident& incident : sim_->engine().ListIncidents()) {
    id = incident.key == key ? std::max(id, incident.id) : id;
  }
  return id;
}

void StoryPlayer::Silence(const StoryStep& step) {
  SilenceRequest request;
  const Matchers parsed = ParseMatchers(StorySilences()[static_cast<size_t>(step.target)]).value();
  for (const Matcher& matcher : parsed) {
    request.matchers.push_back({matcher.name(), matcher.op(), matcher.value()});
  }
  request.starts_at = sim_->now();
  request.ends_at = sim_->now() + std::chrono::minutes(step.amount);
  request.created_by = "alice";
  if (step.kind == StoryStep::kSilenceEnd) {
    request.annotations = Labels({{"until_resolved", "true"}});
  }
  const std::vector<mlalert::Silence> all = sim_->engine().muter().silences().All();
  const Timestamp ends_at = request.ends_at;
  Survive(
      [&] {
        // Done already, when it died before it could say so.
        for (const mlalert::Silence& silence : sim_->engine().muter().silences().All()) {
          const bool new_one = std::none_of(
              all.begin(), all.end(), [&](const mlalert::Silence& old) { return old.id == silence.id; });
          if (new_one && silence.ends_at == ends_at) {
            return;
          }
        }
        request.starts_at = sim_->now();
        if (request.starts_at < request.ends_at) {
          sim_->Step([&](Engine& engine, Timestamp now, Effects& fx) {
            (void)engine.SetSilence(request, now, fx).value();
          });
        }
      },
      true);
}

void StoryPlayer::Unsilence() {
  // The one that ends first: ids are not the same in every run.
  std::vector<mlalert::Silence> all = sim_->engine().muter().silences().All();
  std::erase_if(all, [&](const mlalert::Silence& silence) {
    return silence.starts_at > sim_->now() || silence.ends_at <= sim_->now();
  });
  auto first = std::min_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::pair(a.ends_at, ToString(a.matchers)) < std::pair(b.ends_at, ToString(b.matchers));
  });
  if (first != all.end()) {
    Survive([&] { sim_->Unsilence(first->id); }, true);
  }
}

void StoryPlayer::Act(const StoryStep& step) {
  const auto act = [&](ActionKind kind) {
    const IncidentId id = IncidentOf(step.target);
    if (id == 0) {
      return;
    }
    const Timestamp until = step.amount > 0 ? sim_->now() + std::chrono::minutes(step.amount) : kUnset;
    Survive(
        [&] {
          try {
            sim_->Act(kind, id, [&](IncidentAction& action) {
              action.until = until;
              if (kind == ActionKind::kRaise || kind == ActionKind::kLower) {
                action.severity = static_cast<Severity>(static_cast<int>(Severity::kP0) - step.amount);
              }
            });
          } catch (const std::runtime_error&) {
            // It is not in a state for it.
          }
        },
        true);
  };
  switch (step.kind) {
    case StoryStep::kFire:
      return Fire(step.target);
    case StoryStep::kResolve: {
      auto it = fire_.lower_bound(step.target);
      if (it == fire_.end()) {
        it = fire_.begin();
      }
      return it != fire_.end() ? Resolve(*it) : void();
    }
    case StoryStep::kFlicker:
      for (int i = 0; i < step.amount; ++i) {
        Fire(step.target);
        Advance(std::chrono::minutes(1));
        Resolve(step.target);
        Advance(std::chrono::minutes(1));
      }
      return;
    case StoryStep::kBurst:
      for (int i = 0; i < step.amount; ++i) {
        Fire(i * 8 % 72 + (i == step.amount - 1 ? 3 : step.target % 3));
      }
      return;
    case StoryStep::kAck:
      return act(ActionKind::kAcknowledge);
    case StoryStep::kUnack:
      return act(ActionKind::kUnacknowledge);
    case StoryStep::kSnooze:
      return act(ActionKind::kSnooze);
    case StoryStep::kRaise:
      return act(ActionKind::kRaise);
    case StoryStep::kLower:
      return act(ActionKind::kLower);
    case StoryStep::kResolveByHand:
      return act(ActionKind::kResolve);
    case StoryStep::kSilence:
    case StoryStep::kSilenceEnd:
      return Silence(step);
    case StoryStep::kUnsilence:
      return Unsilence();
    case StoryStep::kRefuse: {
      std::vector<DeliveryVerdict> answers;
      for (int i = 0; i < step.amount; ++i) {
        answers.push_back(i % 2 == 0 ? DeliveryVerdict::kRetry : DeliveryVerdict::kFailed);
      }
      sim_->Answer(StoryReceivers()[static_cast<size_t>(step.target)] + "/webhook[0]", answers);
      return;
    }
    case StoryStep::kRestart:
      Survive(
          [&] {
            witness_->Disturb(sim_->now() + std::chrono::seconds(step.amount));
            sim_->Restart(std::chrono::seconds(step.amount));
          },
          false);
      return;
    default:
      return;
  }
}

// Nothing disturbs any more; everything clears, and there is time to say so.
void StoryPlayer::RunOut() {
  for (const std::string& receiver : StoryReceivers()) {
    sim_->Answer(receiver + "/webhook[0]", {});
  }
  Advance(std::chrono::hours(2));
  witness_->AfterStep();
  while (!fire_.empty()) {
    Resolve(*fire_.begin());
  }
  // Every silence has ended by then, and business hours have begun twice.
  Advance(std::chrono::hours(18));
  witness_->OnEnd();
}

std::string StoryPlayer::Play(bool to_the_end) {
  for (const StoryStep& step : story_.steps) {
    deaths_ = step.deaths;
    writes_ = 0;
    Advance(step.wait);
    Act(step);
    witness_->AfterStep();
    if (!witness_->wrong().empty()) {
      return witness_->wrong();
    }
  }
  deaths_.clear();
  if (to_the_end) {
    RunOut();
  }
  return witness_->wrong();
}

std::string StoryPlayer::Trace() const {
  std::vector<std::pair<Timestamp, std::string>> lines;
  for (const Record& record : sim_->journal()) {
    if (const auto* event = std::get_if<EventRecord>(&record); event != nullptr && event->type != "decided") {
      lines.emplace_back(event->at, fmt::format("  event {} {} {} {}", event->incident_id, event->type,
                                                event->reason, event->to_value));
    }
  }
  for (const Heard& heard : sim_->heard()) {
    std::string who;
    for (const NotifiedAlert& alert : heard.notification->alerts) {
      who += fmt::format(" {}#{}{}{}", alert.alert.labels.ToString(), alert.incident_id,
                         alert.resolved ? " over" : "", alert.quiet_repeat ? " known" : "");
    }
    lines.emplace_back(heard.at, fmt::format("heard {} ({}){}{}", heard.ToString(), heard.group_key, who,
                                             heard.logged ? "" : " and died"));
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out;
  for (const auto& [at, text] : lines) {
    out += fmt::format("+{} {}\n", FormatDuration(at - sim_->start()), text);
  }
  return out;
}

}  // namespace mlalert::testing
