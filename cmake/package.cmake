# What is installed, and the Debian package: `./dev package`.
#
# The dev preset builds modules as shared libraries for quick links; a package needs one binary. There mlalert_alone links the same
# objects once more, so that the tests of the package compile nothing.
if(BUILD_SHARED_LIBS)
  get_property(modules GLOBAL PROPERTY MLALERT_OBJECT_MODULES)
  get_property(libraries GLOBAL PROPERTY MLALERT_LIBRARIES)
  add_executable(mlalert_alone EXCLUDE_FROM_ALL src/main.cc)
  foreach(module ${modules})
    target_sources(mlalert_alone PRIVATE $<TARGET_OBJECTS:mlalert_${module}>)
  endforeach()
  target_link_libraries(mlalert_alone PRIVATE mlalert_options mlalert_warnings ${libraries})
  set_target_properties(mlalert_alone PROPERTIES OUTPUT_NAME mlalert RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/alone)
  set(packaged mlalert_alone)
else()
  set(packaged mlalert)
endif()

# Made by the binary itself, or packed as Debian wants it.
set(files ${CMAKE_BINARY_DIR}/package)
file(MAKE_DIRECTORY ${files})
set(deb ${CMAKE_SOURCE_DIR}/deploy/debian)
add_custom_command(
  OUTPUT ${files}/mlalert.1.gz ${files}/mlalert ${files}/_mlalert ${files}/changelog.gz ${files}/CHANGELOG.md.gz
         ${files}/mlalert.schema.json
  COMMAND $<TARGET_FILE:${packaged}> manual > mlalert.1
  COMMAND gzip -9nf mlalert.1
  COMMAND $<TARGET_FILE:${packaged}> completion bash > mlalert
  COMMAND $<TARGET_FILE:${packaged}> completion zsh > _mlalert
  COMMAND $<TARGET_FILE:${packaged}> check --print-schema > mlalert.schema.json
  COMMAND gzip -9nc ${deb}/changelog > changelog.gz
  COMMAND gzip -9nc ${CMAKE_SOURCE_DIR}/CHANGELOG.md > CHANGELOG.md.gz
  DEPENDS ${packaged} ${deb}/changelog ${CMAKE_SOURCE_DIR}/CHANGELOG.md
  WORKING_DIRECTORY ${files}
  VERBATIM)
set(made DEPENDS ${files}/mlalert.1.gz ${files}/changelog.gz)
if(BUILD_SHARED_LIBS)
  add_custom_target(package_files ${made})
else()
  add_custom_target(package_files ALL ${made})
endif()
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

include(GNUInstallDirs)
install(TARGETS ${packaged} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
file(GLOB rule_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rules/*.yml)
install(FILES ${files}/mlalert.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/mlalert)
install(FILES ${rule_files} DESTINATION ${CMAKE_INSTALL_DATADIR}/mlalert/rules)
file(GLOB runbook_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rules/runbooks/*.md)
install(FILES ${runbook_files} DESTINATION ${CMAKE_INSTALL_DATADIR}/mlalert/runbooks)
install(FILES ${files}/mlalert.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${files}/mlalert DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${files}/_mlalert DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${deb}/copyright ${files}/changelog.gz ${files}/CHANGELOG.md.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mlalert)
install(FILES deploy/mlalert.service DESTINATION lib/systemd/system)
install(FILES deploy/mlalert.sysusers DESTINATION lib/sysusers.d RENAME mlalert.conf)
install(FILES deploy/mlalert.yml DESTINATION /etc/mlalert)
install(FILES ${deb}/mlalert.default DESTINATION /etc/default RENAME mlalert)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mlalert)
set(CPACK_PACKAGE_CONTACT "the mlalert authors <mlalert@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# libcurl is loaded at run time, so dpkg-shlibdeps does not see it; the version is that of CURLOPT_QUICK_EXIT.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers, tzdata, ca-certificates, libcurl4 (>= 7.87)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS sqlite3)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS prometheus)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${deb}/postinst ${deb}/prerm ${deb}/postrm ${deb}/conffiles)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "alerting for ML platforms: rules, routes, incidents
mlalert turns Prometheus metrics into few, well-routed, escalating
notifications. It evaluates Prometheus alerting rules, stands in for an
Alertmanager with the same configuration and API, and remembers incidents:
their severity rises while nobody acts, people acknowledge them, and SQL
can ask an SQLite file about all of it.")
include(CPack)
