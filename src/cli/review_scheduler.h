// Freezes the review of each week when it is over and sends it to the receivers of `review:`, once.
// Everything that must survive a restart is in the database: the frozen review, and a row for each delivery
// that was tried. Fed by: the daemon with the config and outcomes of its deliverer. Owns: a thread that looks
// every half minute. Thread: public methods from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "config/config.h"
#include "engine/gate.h"
#include "notify/notification.h"
#include "review/weekly_review.h"

namespace mlalert {

class ReviewScheduler {
 public:
  struct Seams {
    Gate& gate;
    Clock& clock;
    std::function<ConfigPtr()> config;
    std::function<void(NotificationAttempt)> deliver;
    std::string database;
    decltype(ReviewRequest::propose) propose{};
  };
  explicit ReviewScheduler(Seams seams) : seams_(std::move(seams)) {}
  ~ReviewScheduler() { Stop(); }

  void Start();
  void Stop();
  // Of an attempt with a negative id.
  void OnOutcome(const NotificationOutcome& outcome);
  // One look; the thread's loop.
  Status Look();

 private:
  struct Flight {
    ReviewDeliveryRecord row;
  };
  Status LookAt(const ReviewTeam& team, const ConfigPtr& config, Timestamp now);
  Status Deliver(const ReviewTeam& team, const Week& week, const Json& review, const ConfigPtr& config,
                 Timestamp now);
  Status Open();

  Seams seams_;
  std::unique_ptr<QualitySource> source_;  // of the thread
  std::mutex mutex_;                       // protects what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  int64_t next_id_ = -1;
  std::map<int64_t, Flight> in_flight_;
  std::map<std::string, ReviewDeliveryRecord>
      done_;                            // this process' outcomes: the file may be a commit behind
  std::map<std::string, bool> frozen_;  // team and week
  std::thread thread_;
};

}  // namespace mlalert
