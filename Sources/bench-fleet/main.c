#include "CLauncher.h"

int main(int count, char **arguments) {
  (void)count;
  return launcher_become("bench-fleet", arguments);
}
