#include "CLinux.h"
typedef int hf_linux_placeholder;
