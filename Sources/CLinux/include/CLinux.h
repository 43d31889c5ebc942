#pragma once
// What Swift cannot call by itself: macros that walk buffers, variadic calls, raw system calls, and the child side of
// a spawn. No policy lives here.

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>

#include "CLinuxCalls.h"
#include "CLinuxConfinement.h"
#include "CLinuxConstants.h"
#include "CLinuxMessages.h"
#include "CLinuxProcess.h"
#include "CLinuxSpawn.h"
