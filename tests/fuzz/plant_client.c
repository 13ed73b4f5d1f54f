/* A position that goes back. */
#include "client/local_state.h"

void
__wrap_local_state_see(struct local_state *state, uint64_t position);

void
__wrap_local_state_see(struct local_state *state, uint64_t position)
{
    if (state->has_history) {
        state->position = position;
    }
}
