// Orders of axes, for formats that are NCHW. An Order says which of the file's axes each of our axes holds: {0, 2, 3, 1} is our
// NHWC of their NCHW.
#pragma once

#include <span>
#include <vector>

#include "base/tensor.h"

namespace kinglet::formats {

using Order = std::vector<int>;

inline const Order kNhwc{0, 2, 3, 1};  ///< also OHWI of OIHW
inline const Order kNchw{0, 3, 1, 2};  ///< the reverse

Order identity(int rank);
/// The permutation that undoes `order`.
Order inverse(const Order& order);
/// shape[order[i]] at i.
Shape permuted(const Shape& shape, const Order& order);
/// A copy whose axis i is axis order[i] of `tensor`.
Tensor permuted(const Tensor& tensor, const Order& order);
/// True if a tensor of this shape (in the file's order) has its elements in one sequence under both orders: only axes of size 1
/// moved. Axis 0 never counts as of size 1, it stands for any number of pictures.
bool same_sequence(const Shape& file_shape, const Order& a, const Order& b);

}  // namespace kinglet::formats
