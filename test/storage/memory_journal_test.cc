#include "support/memory_journal.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {

BOOST_AUTO_TEST_SUITE(memory_journal)

BOOST_AUTO_TEST_CASE(commits_at_once_or_when_told_and_fails_when_told) {
  testing::MemoryJournal at_once;
  BOOST_TEST(at_once.Append({EventRecord{.type = "a"}, AlertDelete{7, 7}}) == 2u);
  BOOST_TEST(at_once.WaitCommitted(2, Duration::zero()).has_value());
  at_once.Clear();
  BOOST_TEST(at_once.Append({EventRecord{.type = "b"}}) == 3u);
  BOOST_TEST(at_once.Of<EventRecord>().size() == 1u);

  testing::MemoryJournal later(false);
  uint64_t reported = 0;
  later.OnCommitted([&](uint64_t seq) { reported = seq; });
  uint64_t seq = later.Append({EventRecord{}});
  BOOST_TEST(!later.WaitCommitted(seq, Duration::zero()).has_value());
  BOOST_TEST(later.Survivors().empty());
  later.Commit();
  BOOST_TEST(reported == seq);
  BOOST_TEST(later.Survivors().size() == 1u);
  later.SetState(JournalState::kOverflow);
  BOOST_TEST(later.Append({EventRecord{}}) == kRefusedSeq);
  BOOST_TEST(!later.WaitCommitted(kRefusedSeq, Duration::zero()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
