#include "formats/onnx/import_operators.h"

#include <unordered_map>

namespace kinglet::formats::onnx {

namespace {

using Map = void (*)(Importer&, const Source&);

Map find_map(std::string_view op) {
  static const std::unordered_map<std::string_view, Map> maps{
      {"Add", add_or_mul},
      {"ArgMax", arg_max},
      {"AveragePool", pool},
      {"BatchNormalization", batch_norm},
      {"Cast", cast},
      {"Clip", clip},
      {"Concat", concat},
      {"Constant", constant},
      {"Conv", conv},
      {"DequantizeLinear", dequantize_linear},
      {"Div", sub_or_div},
      {"Dropout", dropout},
      {"Flatten", flatten},
      {"Gather", gather},
      {"Gemm", gemm},
      {"GlobalAveragePool", global_average_pool},
      {"HardSigmoid", hard_sigmoid},
      {"HardSwish", hard_swish},
      {"Identity", identical},
      {"MatMul", mat_mul},
      {"MaxPool", pool},
      {"Mul", add_or_mul},
      {"Pad", pad},
      {"QuantizeLinear", quantize_linear},
      {"ReduceMean", reduce_mean},
      {"Relu", relu},
      {"Reshape", reshape},
      {"Resize", resize},
      {"Shape", shape_of},
      {"Sigmoid", sigmoid},
      {"Slice", slice},
      {"Softmax", softmax},
      {"Split", split},
      {"Squeeze", squeeze},
      {"Sub", sub_or_div},
      {"Transpose", transpose},
      {"Unsqueeze", unsqueeze},
      {"Upsample", resize},
  };
  auto it = maps.find(op);
  return it == maps.end() ? nullptr : it->second;
}

}  // namespace

void map_operator(Importer& importer, const Source& source) {
  const Map map = find_map(source.node.op_type());
  if (!map) throw Unknown{"an operator that Kinglet does not know"};
  map(importer, source);
}

}  // namespace kinglet::formats::onnx
