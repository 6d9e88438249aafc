/* main.c — arguments, open, run, close. */
#include "base/base.h"
int main(void) { return 0; }
