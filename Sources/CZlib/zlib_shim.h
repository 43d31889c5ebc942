/* zlib: what devices send comes compressed. */
#include <zlib.h>
