# cmake -DKERNELS=folder -DNAMES=a;b;c -DOUT=file -P embed_kernels.cmake: writes kernel_sources.cpp.

# The file's text as a raw string, without includes of our own headers.
function(append_text out path)
  file(READ ${path} text)
  string(REGEX REPLACE "#include \"kernels/[a-z_0-9]+\\.h\"\n" "" text "${text}")
  set(${out} "${${out}}R\"KINGLET(${text})KINGLET\"" PARENT_SCOPE)
endfunction()

set(code "#include \"codegen/kernel_sources.h\"\n\nnamespace kinglet::codegen {\n\nstd::string_view kernel_api_source() {\n  return ")
append_text(code ${KERNELS}/kernel_api.h)
string(APPEND code ";\n}\n\nstd::string_view requantize_source() {\n  return ")
append_text(code ${KERNELS}/requantize.h)
string(APPEND code ";\n}\n\nstd::string_view kernel_source(plan::Kernel kernel) {\n  switch (kernel) {\n")
foreach(name ${NAMES})
  string(APPEND code "    case plan::Kernel::${name}: return ")
  append_text(code ${KERNELS}/${name}/generic.c)
  string(APPEND code ";\n")
endforeach()
string(APPEND code "    default: return {};\n  }\n}\n\n}  // namespace kinglet::codegen\n")
file(WRITE ${OUT} "${code}")
