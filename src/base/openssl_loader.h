// OpenSSL, loaded when it is first needed, as libcurl is: a daemon that serves plain HTTP and signs no token
// would carry 1 MiB of it for nothing. Its functions keep their names: base/openssl_calls.cc and
// api/openssl_calls.cc define those that we call, and each goes to the library. Thread: any.
#pragma once

#include <string>

namespace mlalert {

// To be called before the first function of OpenSSL. False: it cannot be loaded, and `why` says so.
bool LoadOpenSsl(std::string* why);

// Of the library; ends the program when there is no such function or LoadOpenSsl() has not succeeded.
void* OpenSslFunction(const char* name);

}  // namespace mlalert

// Defines a function of OpenSSL as the call of it. Hidden, so that other libraries' calls are not ours, and
// weak, because two modules may need the same one.
#define MLALERT_OPENSSL_CALL(result, name, parameters, arguments)                                    \
  extern "C" __attribute__((weak, visibility("hidden"))) result name parameters {                    \
    static const auto real = reinterpret_cast<decltype(&(name))>(::mlalert::OpenSslFunction(#name)); \
    return real arguments;                                                                           \
  }
