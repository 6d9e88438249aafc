/* banned.h — functions that are easier to misuse than to use, as compile errors. */
#ifndef FLOWLET_BANNED_H
#define FLOWLET_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol atof gmtime localtime gets

#endif
