// Elementary functions in double whose bits depend on nothing: not on the C library, the CPU, or the
// instruction set. Additions, products, divisions and integers only, each rounded once, never fused.
//
// The errors stated are the greatest found by comparing with quadruple precision, in units of the
// last place (ulp); correct rounding would be 0.5. Infinities, signed zeros, subnormal numbers and
// NaN give what C's functions of these names give, but no floating-point exceptions are promised.
#pragma once

double ck_exp(double x);    // e^x, 0.53 ulp; 0.76 ulp where the result is subnormal
double ck_log(double x);    // ln x, 0.51 ulp
double ck_log1p(double x);  // ln (1 + x), 0.67 ulp
double ck_log10(double x);  // log10 x, 0.51 ulp; exact for the powers of ten
double ck_sin(double x);    // sin x for every x, 0.82 ulp
double ck_cos(double x);    // cos x for every x, 0.82 ulp

// base^exponent for a base of at least 0, 0.68 ulp; 0.76 ulp where the result is subnormal. NaN for
// other bases, whatever the exponent.
double ck_pow(double base, double exponent);
