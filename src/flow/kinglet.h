/* The C interface: open a model, classify pixels or run raw tensors. Handles are for one thread at a time. */
#ifndef KINGLET_H
#define KINGLET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kinglet_model kinglet_model;

/* Opens a .kinglet or .tflite file. `numerics` is "tflm", "tflite214" or "litert2"; NULL means "tflm".
   Returns 0 and sets *model, or the exit code of the kinglet program (2 usage, 3 bad file, 4 missing dependency) with a sentence in
   `error` (cut to error_bytes, always ended by 0; may be NULL). */
int kinglet_open(const char* path, const char* numerics, kinglet_model** model, char* error, size_t error_bytes);
void kinglet_close(kinglet_model* model);

/* Sizes of one input and one output tensor, all inputs and outputs one after another. */
size_t kinglet_input_bytes(const kinglet_model* model);
size_t kinglet_output_bytes(const kinglet_model* model);
/* One picture, in the model's own input type. Cannot fail and allocates nothing. */
void kinglet_run(kinglet_model* model, const void* input, void* output);

int kinglet_class_count(const kinglet_model* model);
/* NULL when the model has no such label. */
const char* kinglet_label(const kinglet_model* model, int index);
/* Pixels are HWC bytes, channels 1 (gray) or 3 (RGB), through the model's input contract; scores gets kinglet_class_count()
   real numbers. Returns as kinglet_open. */
int kinglet_classify(kinglet_model* model, const uint8_t* pixels, int height, int width, int channels, float* scores, char* error,
                     size_t error_bytes);

#ifdef __cplusplus
}
#endif

#endif
