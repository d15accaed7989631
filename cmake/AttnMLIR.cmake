# Finds LLVM/MLIR 22 and defines attn_add_library / attn_add_tool.
#
# Traps of Debian's packages that these lines step around: LLVM_DEFINITIONS is one string (split before HandleLLVMOptions); the exported
# targets link hundreds of archives unless the dylibs are named; parsing MLIR's headers takes 16 s a file without a precompiled header.
find_package(MLIR 22.1 REQUIRED CONFIG)
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
separate_arguments(LLVM_DEFINITIONS_LIST NATIVE_COMMAND ${LLVM_DEFINITIONS})
add_definitions(${LLVM_DEFINITIONS_LIST})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
include(HandleLLVMOptions)
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include ${PROJECT_SOURCE_DIR}/runtime/include)
link_directories(${LLVM_LIBRARY_DIRS})

# The precompiled MLIR header; every library reuses it, so all of them share compile flags.
file(WRITE ${PROJECT_BINARY_DIR}/pch.cpp.in "// anchor of the precompiled header\n")
configure_file(${PROJECT_BINARY_DIR}/pch.cpp.in ${PROJECT_BINARY_DIR}/pch.cpp COPYONLY)
add_library(AttnPCH OBJECT ${PROJECT_BINARY_DIR}/pch.cpp)
target_precompile_headers(AttnPCH PRIVATE ${PROJECT_SOURCE_DIR}/include/attn/Support/MLIR.h)

# attn_add_library(Name sources... [DEPENDS tablegen targets] [LINK attn libraries])
function(attn_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_precompile_headers(${name} REUSE_FROM AttnPCH)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# attn_add_tool(name sources... [LINK attn libraries])
function(attn_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC) # as the precompiled header was built
  target_precompile_headers(${name} REUSE_FROM AttnPCH)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
endfunction()

# attn_tablegen(TARGET Name.td  -gen-x:file ...): outputs land in build/include beside the header that includes them.
function(attn_tablegen target td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  foreach(pair ${ARGN})
    string(REPLACE "=" ";" parts ${pair})
    list(GET parts 0 out)
    list(SUBLIST parts 1 -1 flags)
    mlir_tablegen(${out} ${flags})
  endforeach()
  add_public_tablegen_target(${target})
endfunction()
