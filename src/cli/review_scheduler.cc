#include "cli/review_scheduler.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/log.h"
#include "notify/plain_message.h"
#include "review/render.h"

namespace mlalert {
namespace {

constexpr Duration kLookEvery = std::chrono::seconds(30);
constexpr Duration kAttemptTime = std::chrono::minutes(2);
constexpr Duration kRetryMin = std::chrono::minutes(1);
constexpr Duration kRetryMax = std::chrono::minutes(30);
constexpr int64_t kAttemptsMax = 40;  // about a day
// A review that nobody got within this is not news any more.
constexpr Duration kDeliverWithin = std::chrono::hours(24 * 7);

std::string KeyOf(const ReviewDeliveryRecord& row) {
  return fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{}", row.team, row.week, row.receiver, row.integration,
                     row.index);
}

Duration PauseAfter(int64_t attempts) {
  Duration pause = kRetryMin;
  for (int64_t i = 1; i < attempts && pause < kRetryMax; ++i) {
    pause *= 2;
  }
  return std::min(pause, kRetryMax);
}

}  // namespace

void ReviewScheduler::Start() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      if (Status status = Look(); !status) {
        LogWarn("the weekly review could not be made or sent; it is tried again",
                {{"err", status.error().ToString()}});
      }
      lock.lock();
      wake_.wait_for(lock, kLookEvery, [this] { return stopping_; });
    }
  });
}

void ReviewScheduler::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

Status ReviewScheduler::Open() {
  if (source_ == nullptr) {
    MLALERT_ASSIGN(source_, QualitySource::Open(seams_.database));
  }
  return {};
}

Status ReviewScheduler::Look() {
  const ConfigPtr config = seams_.config();
  const Timestamp now = seams_.clock.Now();
  MLALERT_TRY(LookAt({"", config->review.receivers, config->review.time_zone}, config, now));
  for (const ReviewTeam& team : config->review.teams) {
    MLALERT_TRY(LookAt(team, config, now));
  }
  source_.reset();  // opened anew by the next look that needs it: half a minute is long for a connection
  return {};
}

Status ReviewScheduler::LookAt(const ReviewTeam& team, const ConfigPtr& config, Timestamp now) {
  MLALERT_ASSIGN(TimeZone zone, TimeZone::Find(team.time_zone));
  const Week week = LastWeek(now, zone);
  if (now < week.span.until + kFreezeAfter) {
    return {};
  }
  MLALERT_TRY(Open());
  MLALERT_ASSIGN(auto stored, source_->Review(team.name, week.name));
  Json review;
  if (stored) {
    MLALERT_ASSIGN(review, ParseJson(stored->data));
  } else {
    const std::string key = team.name + "\x1f" + week.name;
    MLALERT_ASSIGN(const Timestamp oldest, source_->Oldest());
    // There is nothing to say of weeks before the first incident; and what is frozen, but not yet committed,
    // waits.
    if (!IsSet(oldest) || oldest >= week.span.until || frozen_[key]) {
      return {};
    }
    // What was done up to now, the rules of this start too, must be in the file that is read.
    MLALERT_TRY(seams_.gate.WaitCommitted(seams_.gate.journal().Append({}), std::chrono::seconds(30)));
    ReviewRequest request;
    request.week = week.name;
    request.span = week.span;
    request.team = team.name;
    request.zone = zone;
    request.as_of = now;
    request.propose = seams_.propose;
    request.stopped = [this] {
      std::lock_guard lock(mutex_);
      return stopping_;
    };
    MLALERT_ASSIGN(review, BuildReview(*source_, request));
    if (request.stopped()) {
      return {};  // what it lacks of proposals, the next start makes
    }
    ReviewRecord record = FreezeReview(review, week, now);
    MLALERT_ASSIGN(review, ParseJson(record.data));
    const uint64_t seq = seams_.gate.Enter(
        [&](Engine&, Timestamp, Effects& fx) { fx.records.emplace_back(std::move(record)); });
    // Not sent before it is safe: a restart must send the same one.
    MLALERT_TRY(seams_.gate.WaitCommitted(seq, std::chrono::seconds(30)));
    frozen_[key] = true;
    LogInfo("The weekly review is frozen", {{"week", week.name}, {"team", team.name}});
  }
  if (now < week.span.until + config->review.deliver_after || now > week.span.until + kDeliverWithin) {
    return {};
  }
  return Deliver(team, week, review, config, now);
}

Status ReviewScheduler::Deliver(const ReviewTeam& team, const Week& week, const Json& review,
                                const ConfigPtr& config, Timestamp now) {
  if (team.receivers.empty()) {
    return {};
  }
  MLALERT_ASSIGN(auto rows, source_->Deliveries(team.name, week.name));
  std::vector<NotificationAttempt> attempts;
  for (const std::string& name : team.receivers) {
    const Receiver* receiver = config->FindReceiver(name);
    if (receiver == nullptr) {
      continue;
    }
    for (IntegrationRef integration : PlainIntegrations(*receiver)) {
      ReviewDeliveryRecord row;
      row.team = team.name;
      row.week = week.name;
      row.receiver = name;
      row.integration = ToString(integration.kind);
      row.index = integration.index;
      const std::string key = KeyOf(row);
      std::lock_guard lock(mutex_);
      for (const ReviewDeliveryRecord& stored : rows) {
        if (KeyOf(stored) == key) {
          row = stored;
        }
      }
      if (auto it = done_.find(key); it != done_.end()) {
        row = it->second;
      }
      const bool over = row.outcome == "sent" || row.outcome == "failed";
      const bool busy = std::any_of(in_flight_.begin(), in_flight_.end(),
                                    [&](const auto& flight) { return KeyOf(flight.second.row) == key; });
      if (over || busy || (row.attempts > 0 && now < row.at + PauseAfter(row.attempts))) {
        continue;
      }
      PlainMessage message;
      message.subject = ReviewTitle(review);
      message.text = ReviewAsText(review);
      message.html = ReviewAsHtml(review);
      message.markdown = ReviewAsMarkdown(review);
      message.mrkdwn = ReviewAsSlack(review);
      message.json = review.Dump();
      const int64_t id = next_id_--;
      in_flight_[id] = {row};
      attempts.push_back(MakePlainAttempt(config, name, integration, message, id, now, now + kAttemptTime));
    }
  }
  for (NotificationAttempt& attempt : attempts) {
    seams_.deliver(std::move(attempt));
  }
  return {};
}

void ReviewScheduler::OnOutcome(const NotificationOutcome& outcome) {
  ReviewDeliveryRecord row;
  {
    std::lock_guard lock(mutex_);
    auto it = in_flight_.find(outcome.notification_id);
    if (it == in_flight_.end()) {
      return;
    }
    row = std::move(it->second.row);
    in_flight_.erase(it);
    ++row.attempts;
    row.at = seams_.clock.Now();
    row.error = outcome.error;
    row.outcome = outcome.verdict == DeliveryVerdict::kSent                                     ? "sent"
                  : outcome.verdict == DeliveryVerdict::kFailed || row.attempts >= kAttemptsMax ? "failed"
                                                                                                : "retrying";
    done_[KeyOf(row)] = row;
  }
  if (row.outcome == "sent") {
    LogInfo("The weekly review was sent",
            {{"week", row.week}, {"team", row.team}, {"receiver", row.receiver}});
  } else {
    LogWarn("The weekly review could not be sent",
            {{"week", row.week}, {"receiver", row.receiver}, {"outcome", row.outcome}, {"err", row.error}});
  }
  seams_.gate.Enter([&](Engine&, Timestamp, Effects& fx) { fx.records.emplace_back(std::move(row)); });
}

}  // namespace mlalert
