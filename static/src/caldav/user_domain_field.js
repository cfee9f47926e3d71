import { registry } from "@web/core/registry";
import { DomainField, domainField } from "@web/views/fields/domain/domain_field";

/** Conditions in which `uid` may stand for whoever looks: Odoo's own field warns of any name. */
export class UserDomainField extends DomainField {
    getEvaluatedDomain(props = this.props) {
        this.lastDomainChecked = this.getDomain(props);
        return super.getEvaluatedDomain(props);
    }
}

registry.category("fields").add("crm_automation_user_domain", {
    ...domainField,
    component: UserDomainField,
    extractProps: (...info) => ({ ...domainField.extractProps(...info), allowExpressions: true }),
});
