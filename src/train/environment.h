// How the threads of OpenMP wait and how memory is kept, settled before libtorch starts and never left to the user's shell.
#pragma once

namespace kinglet::train {

/// Starts this program again with the settings in its environment when they are not there yet; returns otherwise.
void prepare_environment(char** argv);

}  // namespace kinglet::train
