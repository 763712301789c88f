/* SPDX-License-Identifier: MIT */
/* What a whole machine config has, and a patch need not. */
#include "model.h"

static bool has_legacy_vip(const struct model *model)
{
    for (const struct model_vip *vip = model->vips; vip; vip = vip->next)
        if (vip->form == MODEL_LEGACY || vip->form == MODEL_LEGACY_VLAN)
            return true;
    return false;
}

void check_type(struct model *model)
{
    bool is_refused = has_legacy_vip(model);
    if (!model->has_machine_config || *model->type ||
        (model_is_patch(model) && !(is_refused && model->options->is_for_agent)))
        return;
    struct finding *f = spot_report(model, "TV108", &model->root_at, "machine.type is missing");
    for (const struct model_vip *vip = model->vips; vip; vip = vip->next)
        spot_relate(model, f, &vip->at, "no VIP for a worker");
    if (model->is_whole && is_refused)
        finding_set_severity(&model->findings, f, SEVERITY_ERROR);
    finding_set_why(&model->findings, f, "as it stands, Talos takes it for a worker");
    finding_set_help(&model->findings, f, "is it a patch? Else set controlplane or worker");
}

static void check_version(struct model *model)
{
    if (!model_is_patch(model) || !model->is_whole)
        return;
    struct finding *f = spot_report(model, "TV101", &model->root_at, "\"version\" is missing");
    finding_set_severity(&model->findings, f, SEVERITY_WARNING);
    finding_set_help(&model->findings, f, "a machine config begins with \"version: v1alpha1\"");
}

/* Only on metal does Talos install itself. */
static void check_install(struct model *model)
{
    if (model->options->mode != VALIDATE_METAL || !model->is_whole || model->has_disk ||
        model->has_unattended)
        return;
    bool has_install = model->install_at.node != NULL;
    struct finding *f =
        has_install
            ? spot_report(model, "TV109", &model->install_at,
                          "machine.install says neither disk nor diskSelector, for metal mode")
            : spot_report(model, "TV109", &model->root_at,
                          "machine.install is missing, for metal mode");
    if (!has_install)
        finding_set_severity(&model->findings, f, SEVERITY_WARNING);
    finding_set_why(&model->findings, f,
                    has_install ? "Talos refuses the file" : "Talos before 1.14 refuses the file");
    finding_set_help(&model->findings, f, "give the disk, or check with -m cloud or -m container");
}

void check_machine(struct model *model)
{
    if (!model->has_machine_config)
        return;
    check_version(model);
    check_install(model);
}
