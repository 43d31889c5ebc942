// The header is all there is; here it is proved that a frame has no holes, since it crosses a socket as it is.
#include "CPluginFrames.h"

_Static_assert(sizeof(struct hf_frame) == 16, "a frame's head is sixteen bytes");
