// The package's linker adds an object to every program that announces its Swift code to the Swift runtime, and with it the
// whole runtime. There is no Swift in this one. These take the runtime's place; hidden, so that a plugin in Swift finds the runtime
// that it has brought, and not them.

#include <stdbool.h>

// Declared here, for the runtime's headers are not installed with the toolchain.
__attribute__((visibility("hidden"))) void swift_addNewDSOImage(const void *address);
__attribute__((visibility("hidden"))) bool _swift_backtrace_isThunkFunction(const char *name);

void swift_addNewDSOImage(const void *address) { (void)address; }

bool _swift_backtrace_isThunkFunction(const char *name) {
    (void)name;
    return false;
}
