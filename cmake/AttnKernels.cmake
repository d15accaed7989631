# attn_add_kernel_library: attention programs as an ordinary static library of a CMake project.
#
#   include(AttnKernels)
#   attn_add_kernel_library(kernels SOURCES causal.mlir window.mlir)
#   target_link_libraries(app PRIVATE kernels)        # and in app.c: #include "causal.h"
#
# Every program makes an object and a header of its own stem; the library carries the include directory and libattn_rt.
# With TARGET sm_80,sm_90 they are for GPUs and of the stem and `_gpu`, so that a program may link both libraries and
# include both "causal.h" and "causal_gpu.h". That needs ptxas when it is built.
# Inside of this project its targets are used. Elsewhere what this file was installed with is found, or what ATTN_ROOT
# says: an installation or a build directory.
#
# This file needs neither LLVM nor MLIR on the machine, only attnc.

# The compiler to run: a target here, a program elsewhere.
function(_attn_find_compiler out)
  if(TARGET attnc)
    set(${out} attnc PARENT_SCOPE)
    return()
  endif()
  find_program(ATTN_ATTNC attnc HINTS "${ATTN_ROOT}/bin" "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../bin")
  if(NOT ATTN_ATTNC)
    message(FATAL_ERROR "attn_add_kernel_library: no attnc; set ATTN_ROOT to where attn is installed or built")
  endif()
  set(${out} "${ATTN_ATTNC}" PARENT_SCOPE)
endfunction()

# Defines AttnRuntime where this project's own is not there.
function(_attn_find_runtime)
  if(TARGET AttnRuntime)
    return()
  endif()
  find_library(ATTN_RT_LIBRARY attn_rt HINTS "${ATTN_ROOT}/lib" "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../..")
  find_path(ATTN_RT_INCLUDE_DIR attn-rt/attn_rt.h
    HINTS "${ATTN_ROOT}/include" "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../include"
          "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../runtime/include")
  if(NOT ATTN_RT_LIBRARY OR NOT ATTN_RT_INCLUDE_DIR)
    message(FATAL_ERROR "attn_add_kernel_library: no libattn_rt; set ATTN_ROOT to where attn is installed or built")
  endif()
  find_package(Threads REQUIRED)
  add_library(AttnRuntime STATIC IMPORTED GLOBAL)
  set_target_properties(AttnRuntime PROPERTIES
    IMPORTED_LOCATION "${ATTN_RT_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${ATTN_RT_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endfunction()

# attn_add_kernel_library(<target> SOURCES program.mlir... [TARGET x86-64-v3[,x86-64-v4] | sm_80[,sm_90..]] [OPTIONS attnc options...])
function(attn_add_kernel_library name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "TARGET" "SOURCES;OPTIONS")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "attn_add_kernel_library(${name}): what is '${ARG_UNPARSED_ARGUMENTS}'? "
                        "There are SOURCES, TARGET and OPTIONS")
  endif()
  if(NOT ARG_SOURCES)
    message(FATAL_ERROR "attn_add_kernel_library(${name}): SOURCES names no program")
  endif()
  if(NOT ARG_TARGET)
    set(ARG_TARGET x86-64-v3)
  endif()
  _attn_find_compiler(compiler)
  _attn_find_runtime()

  set(dir "${CMAKE_CURRENT_BINARY_DIR}/${name}-kernels")
  file(MAKE_DIRECTORY "${dir}")
  set(objects)
  set(headers)
  foreach(source IN LISTS ARG_SOURCES)
    get_filename_component(path "${source}" ABSOLUTE)
    get_filename_component(stem "${source}" NAME_WLE)
    if(ARG_TARGET MATCHES "^sm_")
      string(APPEND stem "_gpu")
    endif()
    if("${dir}/${stem}.o" IN_LIST objects)
      message(FATAL_ERROR "attn_add_kernel_library(${name}): two programs are called ${stem}.mlir: "
                          "their outputs would be the same files")
    endif()
    add_custom_command(
      OUTPUT "${dir}/${stem}.o" "${dir}/${stem}.h"
      COMMAND ${compiler} "${path}" -o "${dir}/${stem}" --emit=o,h --target=${ARG_TARGET} ${ARG_OPTIONS}
      DEPENDS "${path}" ${compiler}
      COMMENT "Compiling attention program ${stem}.mlir"
      VERBATIM)
    list(APPEND objects "${dir}/${stem}.o")
    list(APPEND headers "${dir}/${stem}.h")
  endforeach()

  add_library(${name} STATIC ${objects} ${headers})
  set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  # Nothing here is compiled by CMake, so it cannot tell which archiver to take.
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(${name} PUBLIC "${dir}")
  target_link_libraries(${name} PUBLIC AttnRuntime)
endfunction()
