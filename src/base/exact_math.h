// exp and tanh in plain IEEE double operations, the same bits on every machine: the system's libm differs between
// versions, and tables baked into a Plan must not.
#pragma once

namespace kinglet {

/// Relative error below 1e-15; 0 below -745, infinity above 709.78.
double exact_exp(double x);
double exact_tanh(double x);
double exact_sigmoid(double x);  ///< 1 / (1 + exp(-x))

}  // namespace kinglet
