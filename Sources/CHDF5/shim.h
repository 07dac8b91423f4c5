// What Swift cannot import from <hdf5.h>: constants that are macros around calls, and functions
// whose name the headers pick by version.
#ifndef RSD_CHDF5_SHIM_H
#define RSD_CHDF5_SHIM_H

#include <hdf5.h>

static inline hid_t hdf5_float32_type(void) { return H5T_IEEE_F32LE; }
static inline hid_t hdf5_uint16_type(void) { return H5T_STD_U16LE; }
static inline hid_t hdf5_int64_type(void) { return H5T_STD_I64LE; }
static inline hid_t hdf5_string_type(void) { return H5T_C_S1; }

static inline hid_t hdf5_file_create_class(void) { return H5P_FILE_CREATE; }
static inline hid_t hdf5_file_access_class(void) { return H5P_FILE_ACCESS; }
static inline hid_t hdf5_group_create_class(void) { return H5P_GROUP_CREATE; }
static inline hid_t hdf5_dataset_create_class(void) { return H5P_DATASET_CREATE; }
static inline hid_t hdf5_default(void) { return H5P_DEFAULT; }
static inline hid_t hdf5_all(void) { return H5S_ALL; }

static inline hid_t hdf5_create_file(const char *path, hid_t creation, hid_t access) {
    return H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
}

// Errors are worded by the caller; the library's own printing is per thread and turned off here.
static inline herr_t hdf5_silence(void) { return H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

// Calls back with the description of each error on the stack, the cause last.
typedef void (*hdf5_error_visitor)(const char *description, void *context);
struct hdf5_error_visit {
    hdf5_error_visitor visitor;
    void *context;
};
static herr_t hdf5_visit_error(unsigned depth, const H5E_error2_t *error, void *context) {
    struct hdf5_error_visit *visit = (struct hdf5_error_visit *)context;
    (void)depth;
    if (error->desc) visit->visitor(error->desc, visit->context);
    return 0;
}
static inline void hdf5_visit_errors(hdf5_error_visitor visitor, void *context) {
    struct hdf5_error_visit visit = {visitor, context};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, hdf5_visit_error, &visit);
}

#endif
