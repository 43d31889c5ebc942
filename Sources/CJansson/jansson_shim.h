/* Jansson: JSON without Foundation, which would cost holdfastd several megabytes of resident memory. */
#include <jansson.h>
