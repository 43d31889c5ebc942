// The header is all there is: compiling it here proves its static assertions for this machine.
#include "holdfast_plugin.h"
