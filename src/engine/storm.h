// The alert that stands for a storm, among the alerts that mlalert raises about itself. Thread: pure.
#pragma once

#include "model/incident.h"

namespace mlalert {

// No cooldown holds it back: it is the only word of those that are part of the storm.
bool StandsForStorm(const Incident& incident);

}  // namespace mlalert
