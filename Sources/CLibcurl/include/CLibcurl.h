// libcurl (Debian: libcurl4-openssl-dev). Its variadic functions are not imported into Swift: typed wrappers belong here.
#pragma once
#include <curl/curl.h>
